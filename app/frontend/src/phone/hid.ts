// Pure: where a headset's keys and lamps stand in its reports (USB HID usage tables: telephony page 0x0B, LED page 0x08).

const HOOK_SWITCH = 0x0b0020
const PHONE_MUTE = 0x0b002f
const LEDS = { mute: 0x080009, offHook: 0x080017, ring: 0x080018, hold: 0x080020 } as const
export type Lamp = keyof typeof LEDS

/** The parts of WebHID that are used; the types of this browser interface are in no library yet. */
export interface ReportItem {
  usages?: number[]
  isRange?: boolean
  usageMinimum?: number
  usageMaximum?: number
  reportSize?: number
  reportCount?: number
  isAbsolute?: boolean
}
export interface Report {
  reportId?: number
  items?: ReportItem[]
}
export interface Collection {
  usagePage?: number
  inputReports?: Report[]
  outputReports?: Report[]
}

/** One bit of a report. */
export interface Bit {
  reportId: number
  offset: number
  /** Sends its state and not each press. */
  absolute: boolean
}

export interface Layout {
  hook: Bit | null
  mute: Bit | null
  lamps: Partial<Record<Lamp, Bit>>
  /** Bytes of each output report. */
  sizes: Map<number, number>
}

/** What a device can do; null: it is no telephone. */
export function layoutOf(collections: Collection[]): Layout | null {
  const inputs = collections.flatMap((one) => one.inputReports ?? [])
  const outputs = collections.flatMap((one) => one.outputReports ?? [])
  const hook = find(inputs, HOOK_SWITCH)
  const mute = find(inputs, PHONE_MUTE)
  if (!hook && !mute) return null
  const lamps: Partial<Record<Lamp, Bit>> = {}
  for (const [name, usage] of Object.entries(LEDS) as [Lamp, number][]) {
    const bit = find(outputs, usage)
    if (bit) lamps[name] = bit
  }
  const sizes = new Map(outputs.map((one) => [one.reportId ?? 0, Math.ceil(bitsOf(one.items ?? []) / 8)]))
  return { hook, mute, lamps, sizes }
}

function bitsOf(items: ReportItem[]): number {
  return items.reduce((sum, one) => sum + (one.reportSize ?? 0) * (one.reportCount ?? 0), 0)
}

function find(reports: Report[], usage: number): Bit | null {
  for (const report of reports) {
    let offset = 0
    for (const item of report.items ?? []) {
      const size = item.reportSize ?? 0
      const count = item.reportCount ?? 0
      const at = item.isRange ? inRange(item, usage) : (item.usages ?? []).indexOf(usage)
      if (at >= 0 && at < count) return { reportId: report.reportId ?? 0, offset: offset + at * size, absolute: item.isAbsolute !== false }
      offset += size * count
    }
  }
  return null
}

function inRange(item: ReportItem, usage: number): number {
  const { usageMinimum: low = 0, usageMaximum: high = -1 } = item
  return usage >= low && usage <= high ? usage - low : -1
}

/** The bit's state in a report with that id; null: it is not in it, or the report is too short. */
export function read(bit: Bit | null, reportId: number, data: DataView): boolean | null {
  if (!bit || bit.reportId !== reportId || bit.offset >> 3 >= data.byteLength) return null
  return ((data.getUint8(bit.offset >> 3) >> (bit.offset & 7)) & 1) === 1
}

/** The output reports that show these lamps. */
export function shine(layout: Layout, lit: Partial<Record<Lamp, boolean>>): Map<number, Uint8Array> {
  const reports = new Map<number, Uint8Array>()
  for (const [name, bit] of Object.entries(layout.lamps) as [Lamp, Bit][]) {
    const bytes = reports.get(bit.reportId) ?? new Uint8Array(layout.sizes.get(bit.reportId) ?? 1)
    if (lit[name]) bytes[bit.offset >> 3]! |= 1 << (bit.offset & 7)
    reports.set(bit.reportId, bytes)
  }
  return reports
}

export type Key = 'answer' | 'hangup' | 'mute'

/** Which key of the headset a change of its bits was. Lifting the hook answers, putting it back hangs up; a mute key says
    its state (absolute) or each press. */
export class Keys {
  private hook = false
  private mute = false

  constructor(private readonly layout: Layout) {}

  pressed(reportId: number, data: DataView): Key[] {
    const keys: Key[] = []
    const hook = read(this.layout.hook, reportId, data)
    if (hook !== null && hook !== this.hook) keys.push(hook ? 'answer' : 'hangup')
    if (hook !== null) this.hook = hook
    const mute = read(this.layout.mute, reportId, data)
    if (mute !== null && mute !== this.mute && (mute || this.layout.mute?.absolute)) keys.push('mute')
    if (mute !== null) this.mute = mute
    return keys
  }

  /** What the page did itself is no key that was pressed. */
  told(lit: { offHook: boolean }): void {
    this.hook = lit.offHook
  }
}
