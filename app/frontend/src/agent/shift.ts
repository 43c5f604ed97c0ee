// What goes on beside the screens as long as a shift lasts: the watch over the page's own telephone, its timers while the
// page is hidden, and the keys of the headset.
import { computed, effectScope, watch } from 'vue'
import type { EffectScope } from 'vue'
import { t } from '../i18n'
import { toast } from '../notify/toast'
import { Awake } from '../phone/awake'
import { runCheck, shownFault, watchOver } from '../phone/checking'
import type { Fault } from '../phone/check'
import { useHeadset } from '../phone/headset'
import type { Key } from '../phone/hid'
import { abandoned, answerInBrowser, askOwnerToCheck, cut, ownsPhone, phone, swappedTo } from '../phone/phone'
import { inTalk } from '../phone/state'
import { command, linkStatus } from '../realtime/store'
import { steadyTimers } from '../realtime/timers'
import type { Timers } from '../realtime/timers'
import { act, agent, answer, call, colleagueRings, inBrowser, offer, talking } from './desk'
import { followMute, hangUp, leaving, muted, toggleMute } from './talk'

/** With the page's own telephone an agent is ready only after the check. */
export const mustCheck = computed(() => inBrowser.value && !phone.value.checked && phone.value.registration !== 'other')
const onShift = computed(() => agent.value !== null && agent.value.state !== 'signed_out')
/** Not in a call, and none is offered. */
export const free = computed(() => ['wrap_up', 'not_ready', 'ready'].includes(agent.value?.state ?? ''))
/** A talk was cut by a window that went, and this one could take it back now. */
const canTake = computed(() => Boolean(cut.value) && phone.value.registration === 'registered' && free.value && linkStatus.value === 'live')
/** The exchange has this agent in a talk that a window of this browser had, and no window has it any more: it crashed. A talk
    on another computer is none of this one's business. */
const inTalkThere = computed(() => call.value?.members.some((one) => one.agent_id === agent.value?.agent_id && one.state === 'up') === true)
const bereft = computed(() => phone.value.registration === 'registered' && phone.value.talk === 'none' && inTalkThere.value && abandoned.value === call.value?.call_id && linkStatus.value === 'live')
/** A hang-up takes so long to be told. */
const TOLD_MS = 1_500
export const awake = new Awake()

let steady: Timers | null = null
/** Timers that a hidden page keeps; the worker behind them is made when a shift first needs it. */
const timers = (): Timers => (steady ??= steadyTimers())
let scope: EffectScope | null = null
let endWatch: () => void = () => undefined
let endHeadset: () => void = () => undefined

export function startShift(): void {
  if (scope) return
  scope = effectScope(true)
  scope.run(() => {
    followMute()
    watch(onShift, (yes) => (yes ? awake.begin() : awake.end()), { immediate: true })
    watch(inBrowser, overseePhone, { immediate: true })
    let taken = ''
    watch(
      canTake,
      (now) => {
        if (!now || cut.value === null || cut.value === taken) return
        taken = cut.value // once by itself; after that the agent decides
        void takeBack()
      },
      { immediate: true },
    )
    watch(bereft, (now) => now && void reportLost())
    // A wrap-up ends by itself: whoever has not passed the check is not ready for that.
    watch(
      () => agent.value?.state === 'ready' && mustCheck.value && ownsPhone() ? shownFault.value : null,
      (fault) => fault && failed(fault),
    )
    watch(swappedTo, (name) => {
      if (name) toast(t('check.swapped', { name }), 'paused', 9000)
      swappedTo.value = ''
    })
  })
}

export function stopShift(): void {
  scope?.stop()
  scope = null
  overseePhone(false)
  awake.end()
}

function overseePhone(yes: boolean): void {
  endWatch()
  endHeadset()
  endWatch = yes ? watchOver(timers(), failed) : () => undefined
  endHeadset = yes ? useHeadset({ press, lit }) : () => undefined
}

/** The citizen of a talk that is lost waits no longer for a telephone that is gone. A refusal says that the exchange knows. */
async function reportLost(): Promise<void> {
  const call_id = call.value?.call_id
  if (!call_id || leaving.value === call_id) return
  if (cut.value !== call_id) await new Promise<void>((done) => void timers().after(TOLD_MS, done))
  if (bereft.value && call.value?.call_id === call_id) await command('call.lost', { call_id }).then(() => (cut.value = call_id), () => undefined)
}

/** Takes back the talk that was cut: ready for it, and answered when it rings. */
export async function takeBack(): Promise<void> {
  const call_id = cut.value
  const state = agent.value?.state
  if (!call_id) return
  answerInBrowser(call_id)
  if (state === 'ready' || (await act(state === 'wrap_up' ? 'wrapup.done' : 'agent.ready'))) cut.value = null
}

/** Checks here or in the window that has the telephone. */
export function askForCheck(): void {
  if (ownsPhone()) void runCheck()
  else askOwnerToCheck()
}

/** No more calls until it is mended; a talk goes on. The words stand in the check. */
function failed(_: Fault): void {
  const state = agent.value?.state
  if (state === 'ready') void act('agent.not_ready', { reason: 'other' })
  else if (state === 'offered' || state === 'talking') void act('agent.next_state', { state: 'not_ready', reason: 'other' })
}

function press(key: Key): void {
  if (key === 'answer' && (offer.value || colleagueRings.value)) answer()
  else if (key === 'hangup' && talking.value) void hangUp()
  else if (key === 'mute' && talking.value) void toggleMute()
}

function lit(): { mute: boolean; offHook: boolean; ring: boolean; hold: boolean } {
  return { mute: muted.value, offHook: inTalk(phone.value.talk), ring: phone.value.talk === 'ringing', hold: call.value?.held === true }
}
