import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Meter } from './meter'
import { SILENT_DB } from './sound'

const made: Context[] = []

class Context {
  state = 'running'
  constructor(private readonly asked?: AudioContextOptions) {
    made.push(this)
  }
  createAnalyser = (): object => ({ getFloatTimeDomainData: (into: Float32Array) => into.fill(1) })
  createMediaStreamSource(): object {
    if (this.asked && refuses) throw new DOMException('', 'NotSupportedError')
    return { connect: () => undefined }
  }
  resume = async (): Promise<void> => void (this.state = 'running')
  suspend = async (): Promise<void> => void (this.state = 'suspended')
  close = async (): Promise<void> => void (this.state = 'closed')
}

let refuses = false
const sound = { getAudioTracks: () => [{}] } as unknown as MediaStream
const states = (): string[] => made.map((one) => one.state)

beforeEach(() => {
  made.length = 0
  refuses = false
  vi.useFakeTimers()
  vi.stubGlobal('AudioContext', Context)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('rests while nobody looks, and measures again when somebody does', () => {
  const meter = new Meter()
  meter.listen(sound)
  vi.advanceTimersByTime(1_900)
  expect([meter.level(), states()]).toEqual([0, ['running']])
  vi.advanceTimersByTime(2_100)
  expect(states()).toEqual(['suspended'])
  expect([meter.level(), states()]).toEqual([0, ['running']])
})

it('hears one sound at a time, and none when it is closed', () => {
  const meter = new Meter()
  meter.listen(sound)
  meter.listen(sound)
  expect(states()).toEqual(['closed', 'running'])
  meter.listen(null)
  expect([meter.level(), states()]).toEqual([SILENT_DB, ['closed', 'closed']])
})

it('takes the rate of the sound where a browser joins no other one', () => {
  refuses = true
  const meter = new Meter()
  meter.listen(sound)
  expect([meter.level(), states()]).toEqual([0, ['closed', 'running']])
})
