import { afterEach, expect, it, vi } from 'vitest'
import { useHeadset } from './headset'
import type { Collection } from './hid'

afterEach(() => vi.unstubAllGlobals())

class Device extends EventTarget {
  opened = false
  productName = 'Headset'
  collections = [{ usagePage: 0x0b, inputReports: [{ reportId: 1, items: [{ usages: [0x0b002f], reportSize: 1, reportCount: 1, isAbsolute: false }] }] }] as Collection[]
  open = (): Promise<void> => Promise.resolve()
  close = (): Promise<void> => Promise.resolve()
  sendReport = (): Promise<void> => Promise.resolve()
  press(): void {
    for (const bit of [1, 0]) this.dispatchEvent(Object.assign(new Event('inputreport'), { reportId: 1, data: new DataView(new Uint8Array([bit]).buffer) }))
  }
}

it('a key that is pressed in a later shift is pressed once, and after the shift not at all', async () => {
  const device = new Device()
  const hid = Object.assign(new EventTarget(), { getDevices: () => Promise.resolve([device]) })
  vi.stubGlobal('navigator', { hid })
  const keys: string[] = []
  const ends = { press: (key: string) => void keys.push(key), lit: () => ({ mute: false, offHook: true, ring: false, hold: false }) }
  const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0))
  for (const pressed of [1, 2]) {
    const end = useHeadset(ends)
    await settled()
    device.press()
    expect(keys).toEqual(Array<string>(pressed).fill('mute'))
    end()
    device.press()
    expect(keys.length).toBe(pressed)
    await settled()
  }
})
