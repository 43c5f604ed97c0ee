// The page's own telephone, for agents who chose it: it lives as long as the shift, in one window of the browser.
import { ref } from 'vue'
import { api } from '../api/http'
import { Line } from './line'
import type { Account, Sip } from './line'
import { claim } from './owner'
import type { Ownership } from './owner'
import { OFF } from './state'
import type { PhoneView } from './state'

export const phone = ref<PhoneView>(OFF)
/** The talk that this window cut by being reloaded: its call, "" for one that was no citizen's; null: none. */
export const cut = ref<string | null>(null)

const CUT = 'hotline.phone.cut'
const AGAIN_MS = 5_000

let ownership: Ownership | null = null
let line: Line | null = null
let speaker: HTMLAudioElement | null = null
let again: ReturnType<typeof setTimeout> | undefined

/** Registers agent `agent_id`'s browser phone, unless another window has it; does nothing when it already runs. */
export function startPhone(agent_id: string): void {
  if (ownership) return
  cut.value = sessionStorage.getItem(CUT)
  sessionStorage.removeItem(CUT)
  if (!window.isSecureContext || !navigator.locks || !navigator.mediaDevices) return tell({ registration: 'insecure' })
  tell({ registration: 'starting' })
  window.addEventListener('pagehide', leave)
  ownership = claim(`hotline.phone.${agent_id}`, {
    mine: () => void open(),
    others: () => tell({ registration: 'elsewhere' }),
    hear: (message) => line && typeof message === 'string' && line.answer(message),
  })
}

/** Ends the telephone: the shift is over, or another telephone was chosen. */
export function stopPhone(): void {
  clearTimeout(again)
  window.removeEventListener('pagehide', leave)
  line?.close()
  line = null
  ownership?.end()
  ownership = null
  phone.value = OFF
}

/** Answers a call (`call_id` "": one that is no citizen's, now or as soon as it rings), in whichever window rings. */
export function answerInBrowser(call_id: string): void {
  if (line) line.answer(call_id)
  else ownership?.say(call_id)
}

/** What was to be answered will not come. */
export function forgetAnswer(): void {
  line?.forget()
}

/** Tries again after the microphone or the network was missing; does nothing when the telephone works. */
export function retryPhone(): void {
  if (ownership && !line) void open()
}

/** Sends a key of the telephone. */
export function pressKey(key: string): void {
  line?.press(key)
}

async function open(): Promise<void> {
  try {
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true })
    sound.getTracks().forEach((track) => track.stop())
  } catch {
    // Asking again by itself would be a prompt every few seconds; the agent or the browser says when it makes sense.
    tell({ registration: 'no_microphone' })
    const permission = await navigator.permissions?.query({ name: 'microphone' as PermissionName }).catch(() => null)
    if (permission) permission.onchange = retryPhone
    navigator.mediaDevices.ondevicechange = retryPhone
    return
  }
  try {
    const [account, sip] = await Promise.all([api<Account>('/agents/me/browser-phone'), import('jssip')])
    if (!ownership) return
    line = new Line(sip as unknown as Sip, account, { play, tell })
    line.open()
  } catch {
    tell({ registration: 'lost' })
    clearTimeout(again)
    again = setTimeout(retryPhone, AGAIN_MS)
  }
}

function tell(change: Partial<PhoneView>): void {
  phone.value = { ...phone.value, ...change }
}

function play(sound: MediaStream | null): void {
  speaker ??= new Audio()
  speaker.autoplay = true
  speaker.srcObject = sound
}

/** The page goes: a talk cannot go with it. The exchange is told at once, the next page tells the agent. */
function leave(): void {
  const lost = line?.close() ?? null
  line = null
  if (lost !== null) sessionStorage.setItem(CUT, lost)
}
