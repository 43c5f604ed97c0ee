// Pure: what must be well before an agent takes calls with the page's own telephone, and what of it is looked at all the time.
import type { MicrophoneTrouble } from './microphone'

/** In the order in which they are shown. */
export const CHECKS = ['link', 'microphone', 'level', 'line', 'ringer', 'alerts', 'echo'] as const
export type Check = (typeof CHECKS)[number]

/** Why a check failed; each has words that say what to do. */
export type Fault =
  | 'no_link'
  | 'not_registered'
  | `microphone_${MicrophoneTrouble}`
  | 'level_silent'
  | 'ringer_blocked'
  | 'alerts_denied'
  | 'echo_none'
  | 'echo_quiet'
  | 'echo_slow'

export type Result = 'waiting' | 'running' | 'passed' | Fault
export type Results = Record<Check, Result>

export const NOT_CHECKED = Object.fromEntries(CHECKS.map((one) => [one, 'waiting'])) as Results

/** What an echo must reach to be good enough for a talk: G.114 asks for 400 ms one way at most, and there are two. */
export const SLOWEST_MS = 800
export const QUIETEST_DB = -45

/** The outcome of all. `running` as long as one of them may still change. */
export function verdict(results: Results): 'waiting' | 'running' | 'passed' | 'failed' {
  const all = CHECKS.map((one) => results[one])
  if (all.every((one) => one === 'passed')) return 'passed'
  if (all.every((one) => one === 'waiting')) return 'waiting'
  return all.some((one) => one === 'running' || one === 'waiting') ? 'running' : 'failed'
}

/** The first that failed; null while none has. */
export function faultOf(results: Results): Fault | null {
  const failed = CHECKS.map((one) => results[one]).find((one) => one !== 'passed' && one !== 'running' && one !== 'waiting')
  return (failed as Fault | undefined) ?? null
}

/** The echo's verdict. */
export function echoResult(heard: { roundTripMs: number; levelDb: number } | null): Result {
  if (!heard) return 'echo_none'
  if (heard.levelDb < QUIETEST_DB) return 'echo_quiet'
  return heard.roundTripMs > SLOWEST_MS ? 'echo_slow' : 'passed'
}

/** What can be seen at any moment without disturbing anybody. */
export type Facts = Record<'line' | 'microphone' | 'ringer' | 'alerts', Fault | null>

/** How long a fault must last before the agent is set not ready. A socket that flaps comes back by itself, and while it is
    away the exchange sends nobody; a microphone does not. */
export const PATIENCE_MS: Record<keyof Facts, number> = { line: 20_000, microphone: 0, ringer: 20_000, alerts: 0 }
/** Looks that are so far apart have a sleeping computer between them: what was before says nothing. */
const ASLEEP_MS = 15_000

/** Looks again and again, and says which fault has lasted. */
export class Vigil {
  private readonly since = new Map<keyof Facts, number>()
  private last = -Infinity

  look(facts: Facts, now: number): Fault | null {
    if (now - this.last > ASLEEP_MS || now < this.last) this.since.clear()
    this.last = now
    let lasting: Fault | null = null
    for (const name of Object.keys(PATIENCE_MS) as (keyof Facts)[]) {
      const fault = facts[name]
      if (fault === null) {
        this.since.delete(name)
        continue
      }
      const since = this.since.get(name) ?? now
      this.since.set(name, since)
      if (now - since >= PATIENCE_MS[name]) lasting ??= fault
    }
    return lasting
  }
}
