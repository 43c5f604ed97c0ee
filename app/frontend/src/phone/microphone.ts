// The microphone of the page's telephone: held as long as the telephone is there, silent outside a talk, changed in the
// middle of one, and heard of at once when it is unplugged, forbidden or switched off.
import { Meter } from './meter'

export type MicrophoneTrouble = 'denied' | 'missing' | 'busy' | 'ended' | 'muted'

export interface MicrophoneEnds {
  /** Something has become of it; null: all is well again. */
  changed(trouble: MicrophoneTrouble | null): void
}

/** Why the browser gave no microphone. */
export function troubleOf(error: unknown): MicrophoneTrouble {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy'
  return 'missing'
}

export class Microphone {
  private stream: MediaStream | null = null
  private readonly meter = new Meter()
  private open_ = true
  private released = false

  constructor(private readonly ends: MicrophoneEnds) {}

  get sound(): MediaStream | null {
    return this.stream
  }

  get track(): MediaStreamTrack | null {
    return this.stream?.getAudioTracks()[0] ?? null
  }

  /** Takes the device `id` ("" = the system's) and lets go of the one before. Throws what getUserMedia throws; null: it was
      released while the browser asked. */
  async take(id: string): Promise<MediaStreamTrack | null> {
    const wanted = id === '' ? true : { deviceId: { exact: id } }
    const next = await navigator.mediaDevices.getUserMedia({ audio: wanted })
    if (this.released) {
      next.getTracks().forEach((track) => track.stop())
      return null
    }
    const before = this.stream
    this.stream = next
    before?.getTracks().forEach((track) => track.stop())
    const track = this.track
    if (track) {
      track.enabled = this.open_
      track.onended = () => this.stream === next && this.ends.changed('ended')
      track.onmute = () => this.stream === next && this.ends.changed('muted')
      track.onunmute = () => this.stream === next && this.ends.changed(null)
    }
    this.meter.listen(next)
    this.ends.changed(null)
    return track
  }

  /** Whether it is heard. A closed one sends silence. */
  set open(on: boolean) {
    this.open_ = on
    if (this.track) this.track.enabled = on
  }

  get open(): boolean {
    return this.open_
  }

  /** How loud it is right now, dB. */
  level(): number {
    return this.meter.level()
  }

  /** Lets go of the device for good. */
  release(): void {
    this.released = true
    this.stream?.getTracks().forEach((track) => track.stop())
    this.stream = null
    this.meter.close()
  }
}
