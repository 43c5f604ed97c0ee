import { describe, expect, it } from 'vitest'
import { Keys, layoutOf, read, shine } from './hid'
import type { Collection } from './hid'

const bit = (usage: number, absolute = true): object => ({ usages: [usage], reportSize: 1, reportCount: 1, isAbsolute: absolute })
/** A headset as many are: hook switch, line busy tone and mute in report 1, four lamps in report 2. */
const headset = (muteAbsolute: boolean): Collection[] =>
  [
    { usagePage: 0x0c, inputReports: [{ reportId: 9, items: [bit(0x0c00e9)] }] },
    {
      usagePage: 0x0b,
      inputReports: [{ reportId: 1, items: [bit(0x0b0020), bit(0x0b0097), bit(0x0b002f, muteAbsolute), { reportSize: 5, reportCount: 1 }] }],
      outputReports: [{ reportId: 2, items: [{ isRange: true, usageMinimum: 0x080017, usageMaximum: 0x080018, reportSize: 1, reportCount: 2 }, bit(0x080009), { reportSize: 6, reportCount: 1 }, bit(0x080020)] }],
    },
  ] as Collection[]
const bytes = (...all: number[]): DataView => new DataView(new Uint8Array(all).buffer)

describe('a headset', () => {
  const layout = layoutOf(headset(true))!

  it('is told from other devices by its keys', () => {
    expect(layoutOf([{ usagePage: 1, inputReports: [{ reportId: 0, items: [bit(0x010030)] }] }] as Collection[])).toBeNull()
    expect(layoutOf([{}])).toBeNull()
    expect(layout.hook).toEqual({ reportId: 1, offset: 0, absolute: true })
    expect(layout.mute?.offset).toBe(2)
  })

  it('lights its lamps, each in its bit', () => {
    expect([...shine(layout, { offHook: true, mute: true })]).toEqual([[2, new Uint8Array([0b101, 0])]])
    expect([...shine(layout, { ring: true, hold: true })]).toEqual([[2, new Uint8Array([0b10, 0b10])]])
  })

  it('answers when lifted, hangs up when put back, and is not surprised by what the page did', () => {
    const keys = new Keys(layout)
    expect(keys.pressed(1, bytes(1))).toEqual(['answer'])
    expect(keys.pressed(1, bytes(1))).toEqual([])
    expect(keys.pressed(1, bytes(0))).toEqual(['hangup'])
    keys.told({ offHook: true })
    expect(keys.pressed(1, bytes(1))).toEqual([])
    expect(keys.pressed(1, bytes(0))).toEqual(['hangup'])
  })

  it.each([
    [true, ['mute'], ['mute']],
    [false, ['mute'], []],
  ])('with a mute key that says its state (%s)', (absolute, down, up) => {
    const keys = new Keys(layoutOf(headset(absolute))!)
    expect(keys.pressed(1, bytes(4))).toEqual(down)
    expect(keys.pressed(1, bytes(0))).toEqual(up)
  })

  it('a report of something else, or one too short, says nothing', () => {
    expect(new Keys(layout).pressed(9, bytes(255))).toEqual([])
    expect(read(layout.hook, 1, bytes())).toBeNull()
  })
})
