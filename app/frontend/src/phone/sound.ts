// Pure: how loud samples are, and how loud one tone in them is. Levels in dB of full scale, never above 0.

/** What digital silence and a microphone that is switched off give. */
export const SILENT_DB = -100

/** The level of samples between -1 and 1. */
export function levelOf(samples: Float32Array): number {
  let sum = 0
  for (const one of samples) sum += one * one
  return decibels(Math.sqrt(sum / Math.max(1, samples.length)))
}

/** The level of one tone in samples of `rate` per second (Goertzel's filter). A sine of full scale has -3 dB, as in `levelOf`. */
export function toneLevel(samples: Float32Array, rate: number, hertz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hertz) / rate)
  let before = 0
  let last = 0
  for (const one of samples) {
    const now = one + coefficient * last - before
    before = last
    last = now
  }
  const power = before * before + last * last - coefficient * before * last
  return decibels((Math.sqrt(Math.max(0, power)) * Math.SQRT2) / Math.max(1, samples.length))
}

function decibels(amplitude: number): number {
  return amplitude > 0 ? Math.min(0, Math.max(SILENT_DB, 20 * Math.log10(amplitude))) : SILENT_DB
}

/** A level as a meter shows it, 0 to 1: from a quiet room to a loud voice. */
export function shownLevel(db: number): number {
  return Math.min(1, Math.max(0, (db + 70) / 60))
}

export interface Heard {
  /** From the tone's beginning here until it came back, ms. */
  roundTripMs: number
  levelDb: number
}

/** Listens for a tone that was sent at `sentMs` and comes back. Feed it levels; gives what it heard, null before. */
export class Ear {
  private loud = 0
  private first = 0
  private best = SILENT_DB

  constructor(
    private readonly sentMs: number,
    private readonly thresholdDb = -50,
    /** So many looks in a row must hear it: a click is no tone. */
    private readonly looks = 3,
  ) {}

  hear(atMs: number, db: number): Heard | null {
    if (db < this.thresholdDb) {
      this.loud = 0
      return null
    }
    if (this.loud === 0) this.first = atMs
    this.loud += 1
    this.best = Math.max(this.best, db)
    return this.loud >= this.looks ? { roundTripMs: Math.round(this.first - this.sentMs), levelDb: Math.round(this.best) } : null
  }
}
