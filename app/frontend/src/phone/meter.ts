// How loud a sound is, at the price of a meter: in a context of the telephone's own rate, at rest while nobody looks. One of the
// loudspeaker's rate, awake all day, took a tenth of an old machine's processor.
import { levelOf, SILENT_DB } from './sound'

const RATE = 8_000
const WINDOW = 512 // samples; 64 ms at that rate
const REST_MS = 2_000

export class Meter {
  private context: AudioContext | null = null
  private analyser: AnalyserNode | null = null
  private readonly samples = new Float32Array(new ArrayBuffer(WINDOW * 4))
  private resting: ReturnType<typeof setTimeout> | undefined

  /** Measures this sound from now on; null: none. */
  listen(sound: MediaStream | null): void {
    this.close()
    if (!sound?.getAudioTracks().length) return
    try {
      this.hear(sound, new AudioContext({ sampleRate: RATE, latencyHint: 'playback' }))
    } catch {
      this.close()
      this.hear(sound, new AudioContext()) // Firefox joins no sound and context of different rates
    }
    this.look()
  }

  /** How loud it is right now, dB. */
  level(): number {
    if (!this.analyser) return SILENT_DB
    this.look()
    this.analyser.getFloatTimeDomainData(this.samples)
    return levelOf(this.samples)
  }

  close(): void {
    clearTimeout(this.resting)
    void this.context?.close().catch(() => undefined)
    this.context = this.analyser = null
  }

  private hear(sound: MediaStream, context: AudioContext): void {
    this.context = context
    this.analyser = context.createAnalyser()
    this.analyser.fftSize = WINDOW
    context.createMediaStreamSource(sound).connect(this.analyser)
  }

  /** Awake while somebody looks. One that was made before the first click waits for a click. */
  private look(): void {
    const context = this.context
    if (context?.state === 'suspended') void context.resume().catch(() => undefined)
    clearTimeout(this.resting)
    this.resting = setTimeout(() => void context?.suspend().catch(() => undefined), REST_MS)
  }
}
