// The wave form as a drawing, and confidential pauses as places in it.
import type { Pause } from './types'

export const HEIGHT = 40

/** The loudness of each step, 0 to 255. */
export function decoded(text: string): Uint8Array {
  const raw = atob(text)
  return Uint8Array.from(raw, (char) => char.charCodeAt(0))
}

/** The loudest of every `steps.length / columns` neighbours, never fewer columns than one and never more than steps. */
export function columns(steps: Uint8Array, wanted: number): number[] {
  const count = Math.max(1, Math.min(wanted, steps.length))
  const made: number[] = []
  for (let at = 0; at < count; at += 1) {
    const [from, to] = [Math.floor((at * steps.length) / count), Math.floor(((at + 1) * steps.length) / count)]
    made.push(Math.max(0, ...steps.subarray(from, Math.max(to, from + 1))))
  }
  return made
}

/** One side as an SVG path around the line y = `middle`; quiet speech is drawn larger than it is, or nobody would see it. */
export function drawn(loud: number[], middle: number): string {
  return loud.map((value, x) => {
    const half = Math.max(0.5, Math.sqrt(value / 255) * (HEIGHT / 2 - 1))
    return `M${x + 0.5} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`
  }).join('')
}

/** Where pauses lie in a recording, in seconds from its beginning, cut to it; those outside of it are left out. */
export function placed(pauses: Pause[], startedAt: string, durationS: number): { from: number; to: number }[] {
  const begin = Date.parse(startedAt)
  return pauses
    .map(({ since, until }) => ({
      from: Math.max(0, (Date.parse(since) - begin) / 1000),
      to: Math.min(durationS, until === null ? durationS : (Date.parse(until) - begin) / 1000),
    }))
    .filter(({ from, to }) => to > from && from < durationS)
}
