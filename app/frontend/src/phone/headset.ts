// The keys of a headset: through the browser's media session where it has one, and through WebHID after the agent has
// chosen the headset.
import { ref, watch } from 'vue'
import { Keys, layoutOf, shine } from './hid'
import type { Collection, Key, Lamp, Layout } from './hid'

interface HidDevice extends EventTarget {
  opened: boolean
  productName: string
  collections: Collection[]
  open(): Promise<void>
  close(): Promise<void>
  sendReport(id: number, data: BufferSource): Promise<void>
}

interface Hid extends EventTarget {
  getDevices(): Promise<HidDevice[]>
  requestDevice(wish: { filters: { usagePage: number }[] }): Promise<HidDevice[]>
}

const TELEPHONY = 0x0b
const hid = (): Hid | undefined => (navigator as { hid?: Hid }).hid

/** Whether this browser can read a headset's keys. */
export const headsetPossible = (): boolean => hid() !== undefined
/** The headset whose keys work; "": none. */
export const headset = ref('')

export interface Lit extends Record<Lamp, boolean> {}

export interface HeadsetEnds {
  press(key: Key): void
  /** What its lamps show, and what the browser shows of the talk. */
  lit(): Lit
}

let current: { device: HidDevice; layout: Layout; keys: Keys } | null = null
let ends: HeadsetEnds | null = null

/** Listens to the keys as long as a shift lasts; a headset that was chosen before needs no choice again. Gives what ends it. */
export function useHeadset(given: HeadsetEnds): () => void {
  ends = given
  const stopMedia = mediaKeys(given)
  void hid()
    ?.getDevices()
    .then((known) => useFirst(known))
  const away = (event: Event): void => {
    if ((event as Event & { device?: HidDevice }).device === current?.device) forget()
  }
  const back = (event: Event): void => void useFirst([(event as Event & { device: HidDevice }).device])
  hid()?.addEventListener('disconnect', away)
  hid()?.addEventListener('connect', back)
  const stop = watch(given.lit, show, { deep: true, immediate: true })
  return () => {
    stop()
    stopMedia()
    hid()?.removeEventListener('disconnect', away)
    hid()?.removeEventListener('connect', back)
    void current?.device.close().catch(() => undefined)
    forget()
    ends = null
  }
}

/** Asks the agent which headset; call from a click. False: none was chosen, or it has no keys. */
export async function chooseHeadset(): Promise<boolean> {
  const chosen = await hid()
    ?.requestDevice({ filters: [{ usagePage: TELEPHONY }] })
    .catch(() => [])
  await useFirst(chosen ?? [])
  return headset.value !== ''
}

async function useFirst(known: HidDevice[]): Promise<void> {
  for (const device of known) {
    const layout = layoutOf(device.collections)
    if (!layout || current || !ends) continue
    try {
      if (!device.opened) await device.open()
    } catch {
      continue // another program has it
    }
    const keys = new Keys(layout)
    current = { device, layout, keys }
    headset.value = device.productName
    device.addEventListener('inputreport', (event) => {
      const { reportId, data } = event as Event & { reportId: number; data: DataView }
      if (current?.keys === keys) keys.pressed(reportId, data).forEach((key) => ends?.press(key))
    })
    show(ends.lit())
  }
}

function forget(): void {
  current = null
  headset.value = ''
}

function show(lit: Lit): void {
  const session = mediaSession()
  session?.setMicrophoneActive?.(lit.offHook && !lit.mute)
  if (!current) return
  current.keys.told(lit)
  for (const [id, bytes] of shine(current.layout, lit)) void current.device.sendReport(id, bytes as Uint8Array<ArrayBuffer>).catch(() => undefined)
}

interface MediaKeys {
  setActionHandler(action: string, run: (() => void) | null): void
  setMicrophoneActive?(on: boolean): void
}

const mediaSession = (): MediaKeys | undefined => (navigator as { mediaSession?: MediaKeys }).mediaSession

function mediaKeys(given: HeadsetEnds): () => void {
  const set = (action: string, run: (() => void) | null): void => {
    try {
      mediaSession()?.setActionHandler(action, run)
    } catch {
      // A browser that does not know this key.
    }
  }
  set('hangup', () => given.press('hangup'))
  set('togglemicrophone', () => given.press('mute'))
  return () => {
    set('hangup', null)
    set('togglemicrophone', null)
  }
}
