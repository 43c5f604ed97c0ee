// The page's own telephone, for agents who chose it: it lives as long as the shift, in one window of the browser.
import { ref, watch } from 'vue'
import { api } from '../api/http'
import { choice, devices, lookForDevices, present } from './devices'
import { Line } from './line'
import type { Account, Sip } from './line'
import { Microphone, troubleOf } from './microphone'
import type { MicrophoneTrouble } from './microphone'
import { claim } from './owner'
import type { Ownership, Word } from './owner'
import { OFF, heard, inTalk, lostTalk, seenFromElsewhere } from './state'
import type { PhoneView } from './state'
import { clearCut, isHere, keepChecked, keepHere, keepCut, keepTalk, leftCut, talkedHere, wasChecked } from './kept'
import { Speaker } from './speaker'

export const phone = ref<PhoneView>(OFF)
/** The talk that a window of this browser cut by going away: its call, "" for one that was no citizen's; null: none. */
export const cut = ref<string | null>(null)
/** The citizen's call that a window of this browser was in when it went without a word; null: none. */
export const abandoned = ref<string | null>(null)
/** Another microphone was taken by itself, because the one in use is gone: its name. */
export const swappedTo = ref('')

const AGAIN_MS = 5_000

let ownership: Ownership | null = null
let line: Line | null = null
let microphone: Microphone | null = null
const speaker = new Speaker((dumb) => tell({ dumb }))
let again: ReturnType<typeof setTimeout> | undefined
let listening = 0
let opening = false
let going = false
/** What the window that has the telephone said last. */
let last: PhoneView | null = null
let checkedFor = ''
/** The browser's word on the microphone, once it was refused. */
let allowed: PermissionStatus | null = null
let onCheck: () => void = () => undefined

/** Registers agent `agent_id`'s browser phone, unless another window has it; does nothing when it already runs. One that is
    `registered` before this browser was chosen is another computer's: two would take it from each other for ever. */
export function startPhone(agent_id: string, registered = false): void {
  if (ownership) return
  going = false
  if (registered && !isHere(agent_id)) return tell({ registration: 'other' })
  keepHere(agent_id)
  cut.value = leftCut(Date.now())
  tell({ checked: wasChecked(agent_id, Date.now()) })
  checkedFor = agent_id
  if (!window.isSecureContext || !navigator.locks || !navigator.mediaDevices) return tell({ registration: 'insecure' })
  tell({ registration: 'starting' })
  window.addEventListener('pagehide', leave)
  navigator.mediaDevices.addEventListener('devicechange', devicesChanged)
  ownership = claim(`hotline.phone.${agent_id}`, {
    mine() {
      // The window that had the telephone is gone: with its talk, if it had one.
      cut.value ??= lostTalk(last)
      abandoned.value = talkedHere()
      tell({ ...OFF, checked: last?.checked ?? phone.value.checked, registration: 'starting' })
      last = null
      void open()
    },
    others() {
      cut.value = null
      tell({ registration: 'elsewhere' })
      ownership?.say({ say: 'who' })
    },
    hear,
  })
}

/** Ends the telephone: the shift is over, or another telephone was chosen. */
export function stopPhone(): void {
  clearTimeout(again)
  window.removeEventListener('pagehide', leave)
  navigator.mediaDevices?.removeEventListener('devicechange', devicesChanged)
  const owner = line !== null
  if (ownership) keepHere('')
  line?.close()
  line = null
  microphone?.release()
  microphone = null
  speaker.play(null)
  if (owner) ownership?.say({ say: 'view', view: OFF })
  ownership?.end()
  ownership = null
  last = null
  phone.value = OFF
}

/** Whether this window has the telephone. */
export const ownsPhone = (): boolean => line !== null || microphone !== null

/** What runs when another window asks for the check. */
export function whenAskedToCheck(run: () => void): void {
  onCheck = run
}

function hear(word: Word): void {
  if (word.say === 'view') {
    if (line) return
    last = word.view
    if (phone.value.registration === 'elsewhere') phone.value = seenFromElsewhere(word.view)
    return
  }
  if (!ownsPhone()) return
  if (word.say === 'answer') line?.answer(word.call_id)
  else if (word.say === 'forget') line?.forget()
  else if (word.say === 'mute') mutePhone(word.on)
  else if (word.say === 'key') line?.press(word.key)
  else if (word.say === 'check') onCheck()
  else if (word.say === 'devices') void useDevices()
  else tellOthers()
}

/** Does it in the window that has the telephone. */
function here(word: Word, act: () => void): void {
  if (ownsPhone()) act()
  else ownership?.say(word)
}

/** Answers a call (`call_id` "": one that is no citizen's, now or as soon as it rings), in whichever window rings. */
export function answerInBrowser(call_id: string): void {
  here({ say: 'answer', call_id }, () => line?.answer(call_id))
}

/** What was to be answered will not come. */
export function forgetAnswer(): void {
  here({ say: 'forget' }, () => line?.forget())
}

/** Sends silence, or the microphone again, at once. */
export function mutePhone(on: boolean): void {
  here({ say: 'mute', on }, () => {
    tell({ muted: on && inTalk(phone.value.talk) })
    openOrClose()
  })
}

/** Sends a key of the telephone. */
export function pressKey(key: string): void {
  here({ say: 'key', key }, () => line?.press(key))
}

/** Tries again after the microphone or the network was missing; in a telephone that works, takes the microphone anew. */
export function retryPhone(): void {
  if (!ownership) return
  if (line) void useDevices()
  else void open()
}

/** Has the window that has the telephone check it. */
export function askOwnerToCheck(): void {
  ownership?.say({ say: 'check' })
}

/** Uses the devices that were chosen, also in the middle of a talk. */
export function applyDevices(): void {
  here({ say: 'devices' }, () => void useDevices())
}

/** Lets the browser play what it kept silent; call from a click. */
export function letSpeak(): void {
  void speaker.again()
}

/** The passed check is kept for this window and told to the others. */
export function tellChecked(checked: boolean): void {
  tell({ checked })
  keepChecked(checkedFor, checked, Date.now())
}

/** Opens the microphone outside a talk, for a meter; gives what closes it again. */
export function listenIn(): () => void {
  listening += 1
  openOrClose()
  let done = false
  return () => {
    if (!done) listening -= 1
    done = true
    openOrClose()
  }
}

/** How loud the microphone and the other side are now, dB; null: this window has no telephone. */
export function levels(): { microphone: number; speaker: number } | null {
  return microphone ? { microphone: microphone.level(), speaker: speaker.level() } : null
}

export const theLine = (): Line | null => line

async function open(): Promise<void> {
  if (opening || line) return
  opening = true
  try {
    if (!(await takeMicrophone())) return
    const [account, sip] = await Promise.all([api<Account>('/agents/me/browser-phone'), import('jssip')])
    if (!ownership) return
    line = new Line(sip as unknown as Sip, account, { play: (sound) => speaker.play(sound), microphone: () => microphone?.sound ?? null, tell })
    line.open()
  } catch {
    tell({ registration: 'lost' })
    clearTimeout(again)
    again = setTimeout(retryPhone, AGAIN_MS)
  } finally {
    opening = false
  }
}

/** Takes the chosen microphone, or the system's when that one cannot be had. False: there is none; `phone` says why. */
async function takeMicrophone(): Promise<boolean> {
  const taken = (microphone ??= new Microphone({ changed: (trouble) => void microphoneChanged(trouble) }))
  await lookForDevices()
  const wish = present(choice.value.microphone, devices.value, 'microphone')
  try {
    const track = await taken.take(wish).catch((error: unknown) => {
      if (wish === '') throw error
      return taken.take('')
    })
    // The shift ended while the browser asked; perhaps another one has begun.
    if (microphone !== taken) return ownership ? await takeMicrophone() : false
    if (track) await line?.replace(track)
    await lookForDevices()
    speaker.on(present(choice.value.speaker, devices.value, 'speaker'))
    openOrClose()
    return true
  } catch (error) {
    // Asking again by itself would be a prompt every few seconds; the agent or the browser says when it makes sense.
    tell({ microphone: troubleOf(error), ...(line ? {} : { registration: 'no_microphone' as const }) })
    allowed ??= (await navigator.permissions?.query({ name: 'microphone' as PermissionName }).catch(() => null)) ?? null
    if (allowed) allowed.onchange = retryPhone
    return false
  }
}

/** One that is unplugged in a shift is replaced by what is there: a talk goes on, and the agent is told. */
async function microphoneChanged(trouble: MicrophoneTrouble | null): Promise<void> {
  tell({ microphone: trouble })
  if (trouble !== 'ended') return
  if (await takeMicrophone()) swappedTo.value = microphone?.track?.label ?? ''
}

async function useDevices(): Promise<void> {
  await takeMicrophone()
}

function devicesChanged(): void {
  void lookForDevices().then(() => {
    if (!ownsPhone()) return
    if (!line || phone.value.microphone !== null) retryPhone()
    else if (isBack()) void useDevices()
    speaker.on(present(choice.value.speaker, devices.value, 'speaker'))
  })
}

/** The chosen microphone is plugged in again while another one is used. */
function isBack(): boolean {
  const wish = present(choice.value.microphone, devices.value, 'microphone')
  return wish !== '' && wish !== microphone?.track?.getSettings().deviceId
}

function openOrClose(): void {
  if (microphone) microphone.open = heard(phone.value, listening)
}

function tell(change: Partial<PhoneView>): void {
  const before = phone.value
  const next = { ...before, ...change }
  if (!inTalk(next.talk)) next.muted = false
  phone.value = next
  if (next.talk !== before.talk) {
    openOrClose()
    if (next.registration !== 'elsewhere') keepTalk(inTalk(next.talk) ? next.call_id : '')
  }
  if (next.registration !== 'elsewhere') tellOthers()
}

/** A copy: what the page keeps is watched, and cannot be sent. */
function tellOthers(): void {
  if (!going) ownership?.say({ say: 'view', view: { ...phone.value } })
}

/** The page goes: a talk cannot go with it. The exchange is told at once, the next page takes it back. */
function leave(): void {
  going = true // the others heard last that there is a talk: whoever takes over takes it back
  const lost = line?.close() ?? null
  line = null
  keepTalk('')
  if (lost !== null) keepCut(lost, Date.now())
}

watch(cut, (now) => now === null && clearCut())
