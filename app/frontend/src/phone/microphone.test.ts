import { afterEach, expect, it, vi } from 'vitest'
import { Microphone } from './microphone'

afterEach(() => vi.unstubAllGlobals())

class Context {
  state = 'running'
  createAnalyser = (): object => ({})
  createMediaStreamSource = (): object => ({ connect: () => undefined })
  suspend = (): Promise<void> => Promise.resolve()
  close = (): Promise<void> => Promise.resolve()
}

function device(): { stopped: boolean; give(): void } {
  let give: (stream: MediaStream) => void = () => undefined
  const track = { enabled: true, stop: () => void (told.stopped = true) }
  const stream = { getTracks: () => [track], getAudioTracks: () => [track] } as unknown as MediaStream
  const told = { stopped: false, give: () => give(stream) }
  vi.stubGlobal('AudioContext', Context)
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia: () => new Promise<MediaStream>((done) => (give = done)) } })
  return told
}

it('that is let go of while the browser still asks is not held for ever', async () => {
  const changed: unknown[] = []
  const asked = device()
  const microphone = new Microphone({ changed: (trouble) => changed.push(trouble) })
  const taking = microphone.take('')
  microphone.release()
  asked.give()
  expect([await taking, asked.stopped, microphone.sound, changed]).toEqual([null, true, null, []])
})

it('that was closed before it came is closed when it comes', async () => {
  const asked = device()
  const microphone = new Microphone({ changed: () => undefined })
  microphone.open = false
  const taking = microphone.take('')
  asked.give()
  expect([(await taking)?.enabled, asked.stopped]).toEqual([false, false])
})
