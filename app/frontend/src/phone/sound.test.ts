import { describe, expect, it } from 'vitest'
import { PLAIN, listed, present, readChoice, ringPlaces } from './devices'
import { Ear, SILENT_DB, levelOf, shownLevel, toneLevel } from './sound'

const RATE = 48_000
const sine = (hertz: number, loud = 1): Float32Array => Float32Array.from({ length: 960 }, (_, at) => loud * Math.sin((2 * Math.PI * hertz * at) / RATE))

describe('levels', () => {
  it('of silence and of a full tone', () => {
    expect(levelOf(new Float32Array(960))).toBe(SILENT_DB)
    expect(levelOf(sine(1000))).toBeCloseTo(-3, 0)
    expect(levelOf(sine(1000, 0.1))).toBeCloseTo(-23, 0)
  })

  it('one tone is told from another', () => {
    expect(toneLevel(sine(1000), RATE, 1000)).toBeCloseTo(-3, 0)
    expect(toneLevel(sine(440), RATE, 1000)).toBeLessThan(-30)
  })

  it('a meter moves between a quiet room and a loud voice', () => {
    expect([shownLevel(SILENT_DB), shownLevel(0)]).toEqual([0, 1])
    expect(shownLevel(-40)).toBeCloseTo(0.5)
  })
})

describe('an ear', () => {
  it('measures from the tone sent to the first of three looks that hear it', () => {
    const ear = new Ear(100)
    const heard = [110, 120, 130, 140, 150].map((at) => ear.hear(at, at >= 130 ? -10 : SILENT_DB))
    expect(heard).toEqual([null, null, null, null, { roundTripMs: 30, levelDb: -10 }])
  })

  it('takes no click for a tone', () => {
    const ear = new Ear(0)
    expect([-10, -10, -80, -10, -10].map((db, at) => ear.hear(at, db))).toEqual([null, null, null, null, null])
  })
})

const headset = { deviceId: 'h2', label: 'Headset', kind: 'audiooutput' } as const
const box = { deviceId: 'b', label: 'Box', kind: 'audiooutput' } as const
const mouth = { deviceId: 'm', label: 'Headset', kind: 'audioinput' } as const

describe('devices', () => {
  const there = [{ deviceId: 'default', label: 'Default', kind: 'audiooutput' } as const, headset, box, mouth]

  it('a device is known again by its name when its id has changed, and is the system’s when it is gone', () => {
    expect(present({ id: 'b', label: '' }, there, 'speaker')).toBe('b')
    expect(present({ id: 'h1', label: 'Headset' }, there, 'speaker')).toBe('h2')
    expect(present({ id: 'h1', label: 'Headset' }, there, 'microphone')).toBe('m')
    expect(present({ id: 'x', label: 'Gone' }, there, 'speaker')).toBe('')
  })

  it('rings in each place once', () => {
    const choice = { ...PLAIN, speaker: { id: 'h2', label: 'Headset' }, ringer: { id: 'b', label: 'Box' } }
    expect(ringPlaces(choice, there)).toEqual(['b'])
    expect(ringPlaces({ ...choice, ringInHeadset: true }, there)).toEqual(['b', 'h2'])
    expect(ringPlaces({ ...choice, ringInHeadset: true, ringer: choice.speaker }, there)).toEqual(['h2'])
  })

  it('are listed without the system’s aliases', () => {
    expect(listed(there, 'ringer').map((one) => one.id)).toEqual(['h2', 'b'])
    expect(listed(there, 'microphone').map((one) => one.id)).toEqual(['m'])
  })

  it.each([null, 'x', '7', '[]', '{"microphone":3,"ringVolume":"loud"}', '{"ringVolume":7}'])('%j that was kept is the system’s', (text) => {
    expect(readChoice(text)).toEqual(PLAIN)
  })

  it('what was chosen is read again', () => {
    const choice = { ...PLAIN, microphone: { id: 'm', label: 'Headset' }, ringInHeadset: true, ringVolume: 0.2 }
    expect(readChoice(JSON.stringify(choice))).toEqual(choice)
  })
})
