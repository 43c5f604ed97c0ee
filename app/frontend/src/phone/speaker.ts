// What the other side says: played on the chosen device, and measured.
import { playOn } from './devices'
import { Meter } from './meter'

export class Speaker {
  private element: HTMLAudioElement | null = null
  private readonly meter = new Meter()
  private device = ''

  /** `dumb`: the browser keeps it silent until the agent clicks. */
  constructor(private readonly dumb: (yes: boolean) => void) {}

  /** Plays a sound; null ends the last. */
  play(sound: MediaStream | null): void {
    if (!sound && !this.element) return
    this.element ??= new Audio()
    this.element.autoplay = true
    this.element.srcObject = sound
    this.meter.listen(sound)
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
    return this.meter.level()
  }
}
