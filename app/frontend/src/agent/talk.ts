// What the agent can do in the talk that goes on: mute, pause, swap, ask for help, call an emergency line, hang up.
import { computed, ref, watch } from 'vue'
import { mutePhone, ownsPhone, phone } from '../phone/phone'
import { inTalk } from '../phone/state'
import { live, serverNow } from '../realtime/store'
import { act, agent, call, inBrowser } from './desk'
import { consultedIn, musicFor, othersIn } from './parties'

/** A hang-up that was accepted counts for so long: a second press must not reach whatever comes next. */
const LEAVING_MS = 5_000
/** So long after the citizen hung up, a key that was meant for the talk ends no wrap-up. */
const SURPRISE_MS = 1_500

/** What was pressed and is still on its way. */
const muteWish = ref<boolean | null>(null)
const mutedHere = ref<number | null>(null)
/** The call that was hung up here. */
export const leaving = ref('')

export const muted = computed(() => call.value !== null && (muteWish.value ?? (phone.value.muted || call.value.muted_ms != null)))
/** Since when, the server's clock, ms. */
export const mutedSince = computed(() => (muted.value ? (call.value?.muted_ms ?? mutedHere.value) : null))
export const paused = computed(() => call.value?.paused ?? null)
export const others = computed(() => othersIn(call.value, agent.value?.agent_id ?? ''))
export const consulted = computed(() => consultedIn(call.value, others.value))
export const music = computed(() => musicFor(call.value, others.value))

let muting = false

/** Mutes or unmutes: the page's own phone at once, the exchange as soon as it hears of it. The last press counts. */
export async function toggleMute(): Promise<void> {
  const call_id = call.value?.call_id
  if (!call_id) return
  muteWish.value = !muted.value
  mutedHere.value = muteWish.value ? serverNow.value : null
  if (inBrowser.value) mutePhone(muteWish.value)
  if (muting) return
  muting = true
  let sent: boolean | null = null
  while (muteWish.value !== null && muteWish.value !== sent) {
    sent = muteWish.value
    if (!(await act('call.mute', { call_id, on: sent }))) break
  }
  muteWish.value = null
  muting = false
}

/** Begins or ends the confidential pause. */
export function togglePause(): void {
  void act(paused.value ? 'call.pause_end' : 'call.pause', { call_id: call.value?.call_id })
}

/** Asks a supervisor to come, or not to any more. */
export function toggleHelp(): void {
  void act(call.value?.help_ms != null ? 'call.help_end' : 'call.help', { call_id: call.value?.call_id })
}

export function swap(): void {
  void act('call.swap', { call_id: call.value?.call_id })
}

export function emergency(to: string): void {
  void act('call.emergency', { call_id: call.value?.call_id, to })
}

export function holdOrResume(): void {
  void act(call.value?.held ? 'call.resume' : 'call.hold', { call_id: call.value?.call_id })
}

/** Ends the agent's part, once. */
export async function hangUp(): Promise<void> {
  const call_id = call.value?.call_id
  if (!call_id || leaving.value === call_id) return
  leaving.value = call_id
  if (!(await act('call.hangup', { call_id }))) leaving.value = ''
  else setTimeout(() => leaving.value === call_id && (leaving.value = ''), LEAVING_MS)
}

let surprisedAt = -Infinity
watch(
  () => live.value.ended,
  (ended) => {
    if (ended?.why === 'hangup' && ended.call_id !== leaving.value) surprisedAt = performance.now()
  },
)
/** The citizen has hung up this very moment: what is pressed now was meant for the talk. */
export const surprised = (): boolean => performance.now() - surprisedAt < SURPRISE_MS

/** The exchange says that this agent is muted, or not any more (from another computer): the page's phone follows. */
export function followMute(): void {
  watch(
    () => call.value?.muted_ms ?? null,
    (since) => {
      if (muteWish.value === null && ownsPhone() && inTalk(phone.value.talk)) mutePhone(since !== null)
    },
  )
}
