// Which microphone, loudspeaker and ringers are used: chosen once, remembered on this computer by name and id.
import { ref } from 'vue'
import { remember, remembered } from '../ui/kept'

/** A device as it was chosen; an id may change when the browser forgets the page, its name stays. */
export interface Device {
  id: string
  label: string
}

export interface Choice {
  microphone: Device
  speaker: Device
  ringer: Device
  /** Rings in the headset (`speaker`), too. */
  ringInHeadset: boolean
  /** Of the ring, 0 to 1. */
  ringVolume: number
}

export type Role = 'microphone' | 'speaker' | 'ringer'
export const SYSTEM: Device = { id: '', label: '' }
export const PLAIN: Choice = { microphone: SYSTEM, speaker: SYSTEM, ringer: SYSTEM, ringInHeadset: false, ringVolume: 0.7 }

const KEPT = 'hotline.phone.devices'
type Known = Pick<MediaDeviceInfo, 'deviceId' | 'label' | 'kind'>

/** The id of a chosen device among those that are there: by id, else by name; "" = the system's own choice. */
export function present(wish: Device, devices: Known[], role: Role): string {
  const kind = role === 'microphone' ? 'audioinput' : 'audiooutput'
  const there = devices.filter((one) => one.kind === kind)
  const found = there.find((one) => one.deviceId === wish.id) ?? there.find((one) => wish.label !== '' && one.label === wish.label)
  return wish.id === '' ? '' : (found?.deviceId ?? '')
}

/** The devices of a role for a list, without the system's aliases of one of them. */
export function listed(devices: Known[], role: Role): Device[] {
  const kind = role === 'microphone' ? 'audioinput' : 'audiooutput'
  return devices
    .filter((one) => one.kind === kind && one.deviceId !== '' && one.deviceId !== 'default' && one.deviceId !== 'communications')
    .map((one) => ({ id: one.deviceId, label: one.label }))
}

/** Where to ring: each place once. */
export function ringPlaces(choice: Choice, devices: Known[]): string[] {
  const places = [present(choice.ringer, devices, 'ringer')]
  if (choice.ringInHeadset) places.push(present(choice.speaker, devices, 'speaker'))
  return [...new Set(places)]
}

/** What was kept, made whole: whatever somebody else wrote there is no device. */
export function readChoice(text: string | null): Choice {
  let kept: unknown = null
  try {
    kept = JSON.parse(text ?? 'null')
  } catch {
    // Not ours: the system's devices.
  }
  const given = (typeof kept === 'object' && kept !== null ? kept : {}) as Record<string, unknown>
  const device = (name: Role): Device => {
    const one = given[name] as Partial<Device> | undefined
    return typeof one?.id === 'string' && typeof one.label === 'string' ? { id: one.id, label: one.label } : SYSTEM
  }
  const volume = Number(given.ringVolume ?? PLAIN.ringVolume)
  return {
    microphone: device('microphone'),
    speaker: device('speaker'),
    ringer: device('ringer'),
    ringInHeadset: given.ringInHeadset === true,
    ringVolume: volume >= 0 && volume <= 1 ? volume : PLAIN.ringVolume,
  }
}

export const choice = ref<Choice>(readChoice(remembered(KEPT)))
/** What is plugged in, as the browser tells it (names only after the microphone was allowed). */
export const devices = ref<Known[]>([])

export function choose(change: Partial<Choice>): void {
  choice.value = { ...choice.value, ...change }
  remember(KEPT, JSON.stringify(choice.value))
}

export async function lookForDevices(): Promise<void> {
  devices.value = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? []
}

/** Whether the browser can play on a device of one's choice. */
export const canChooseSpeaker = (): boolean => typeof HTMLMediaElement !== 'undefined' && 'setSinkId' in HTMLMediaElement.prototype

/** Has an element play on a device. False: the browser cannot, or the device is gone; it plays on the system's. */
export async function playOn(element: HTMLMediaElement, id: string): Promise<boolean> {
  const sink = element as HTMLMediaElement & { setSinkId?: (id: string) => Promise<void>; sinkId?: string }
  if (!sink.setSinkId) return id === ''
  if ((sink.sinkId ?? '') === id) return true
  return sink.setSinkId(id).then(
    () => true,
    () => false,
  )
}
