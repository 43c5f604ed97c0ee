// What the other side says: played on the chosen device, and measured.
import { playOn } from './devices'
import { levelOf, SILENT_DB } from './sound'

export class Speaker {
  private element: HTMLAudioElement | null = null
  private meter: { analyser: AnalyserNode; context: AudioContext } | null = null
  private readonly samples = new Float32Array(new ArrayBuffer(2048 * 4))
  private device = ''

  /** `dumb`: the browser keeps it silent until the agent clicks. */
  constructor(private readonly dumb: (yes: boolean) => void) {}

  /** Plays a sound; null ends the last. */
  play(sound: MediaStream | null): void {
    if (!sound && !this.element) return
    this.element ??= new Audio()
    this.element.autoplay = true
    this.element.srcObject = sound
    this.measure(sound)
    if (!sound) return this.dumb(false)
    void playOn(this.element, this.device).then(() => this.again())
  }

  async again(): Promise<void> {
    if (!this.element?.srcObject) return
    try {
      await this.element.play()
      this.dumb(false)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.dumb(true)
    }
  }

  /** Plays on that device ("" = the system's) from now on. */
  on(device: string): void {
    this.device = device
    if (this.element) void playOn(this.element, device)
  }

  level(): number {
    if (!this.meter) return SILENT_DB
    this.meter.analyser.getFloatTimeDomainData(this.samples)
    return levelOf(this.samples)
  }

  private measure(sound: MediaStream | null): void {
    void this.meter?.context.close().catch(() => undefined)
    this.meter = null
    if (!sound?.getAudioTracks().length) return
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    analyser.fftSize = this.samples.length
    context.createMediaStreamSource(sound).connect(analyser)
    this.meter = { analyser, context }
  }
}
