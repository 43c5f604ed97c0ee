// The check before a shift, and the watch during it: what fails sets the agent not ready.
import { computed, ref, shallowRef, watch } from 'vue'
import { alerts, askAlerts, sound, tryRing } from '../notify/ring'
import { linkStatus } from '../realtime/store'
import type { Timers } from '../realtime/timers'
import { NOT_CHECKED, Vigil, echoResult, faultOf, verdict } from './check'
import type { Check, Facts, Fault, Result, Results } from './check'
import { testEcho } from './echo'
import type { Line } from './line'
import { levels, listenIn, ownsPhone, phone, tellChecked, theLine, whenAskedToCheck } from './phone'
import { SILENT_DB } from './sound'

export const results = shallowRef<Results>(NOT_CHECKED)
export const checking = ref(false)
/** What the watch has found; null: all is well. */
export const fault = ref<Fault | null>(null)

const WATCH_MS = 5_000
const MINUTE_MS = 60_000
const REGISTERED_WITHIN_MS = 10_000
const LEVEL_MS = 1_500

/** Until it is true, at most so long; gives whether it became true. */
function comes(condition: () => boolean, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let stop: () => void = () => undefined
    const late = setTimeout(() => finish(false), withinMs)
    const finish = (yes: boolean): void => {
      clearTimeout(late)
      stop()
      resolve(yes)
    }
    stop = watch(condition, (now) => now && finish(true))
    if (condition()) finish(true)
  })
}

function set(check: Check, result: Result): boolean {
  results.value = { ...results.value, [check]: result }
  return result === 'passed'
}

/** Checks everything, in the window that has the telephone; does nothing while it runs or somebody talks. */
export async function runCheck(): Promise<void> {
  if (checking.value || phone.value.talk !== 'none') return
  checking.value = true
  const close = listenIn()
  fault.value = null
  results.value = Object.fromEntries(Object.keys(NOT_CHECKED).map((one) => [one, 'running'])) as Results
  try {
    await Promise.all([checkLink(), checkAlerts(), checkRinger(), checkPhone()])
  } finally {
    checking.value = false
    close()
  }
  tellChecked(verdict(results.value) === 'passed')
}

async function checkLink(): Promise<void> {
  set('link', (await comes(() => linkStatus.value === 'live', REGISTERED_WITHIN_MS)) ? 'passed' : 'no_link')
}

async function checkAlerts(): Promise<void> {
  if (alerts.value === 'default') await askAlerts()
  set('alerts', alerts.value === 'granted' ? 'passed' : 'alerts_denied')
}

async function checkRinger(): Promise<void> {
  set('ringer', (await tryRing()) ? 'passed' : 'ringer_blocked')
}

/** Line, microphone, level and echo build on each other. */
async function checkPhone(): Promise<void> {
  const settled = (): boolean => !['off', 'starting'].includes(phone.value.registration) || phone.value.microphone !== null
  await comes(settled, REGISTERED_WITHIN_MS)
  const microphone = phone.value.microphone
  if (set('microphone', microphone === null ? 'passed' : `microphone_${microphone}`)) await checkLevel()
  else set('level', 'level_silent')
  // Without a microphone none is registered; one that is lost later leaves the line as it is.
  const there = (microphone === null || theLine() !== null) && (await comes(() => phone.value.registration === 'registered', REGISTERED_WITHIN_MS))
  const line = theLine()
  if (set('line', there && line ? 'passed' : 'not_registered') && line) set('echo', await echo(line))
  else set('echo', 'echo_none')
}

/** A busy network may swallow one tone: what fails is tried once more. */
async function echo(line: Line): Promise<Result> {
  const first = echoResult(await testEcho(line))
  return first === 'passed' ? first : echoResult(await testEcho(line))
}

/** A microphone that works is never quite silent; one that is switched off at the headset is. */
async function checkLevel(): Promise<void> {
  const until = Date.now() + LEVEL_MS
  while (Date.now() < until) {
    if ((levels()?.microphone ?? SILENT_DB) > SILENT_DB) return void set('level', 'passed')
    await new Promise((done) => setTimeout(done, 50))
  }
  set('level', 'level_silent')
}

/** What can be seen without disturbing anybody. */
function facts(denied: boolean): Facts {
  const { registration, microphone } = phone.value
  return {
    line: registration === 'registered' ? null : 'not_registered',
    microphone: denied ? 'microphone_denied' : microphone === null ? null : `microphone_${microphone}`,
    ringer: sound.value === 'on' ? null : 'ringer_blocked',
    alerts: alerts.value === 'granted' ? null : 'alerts_denied',
  }
}

/** Looks after the telephone as long as it is this window's; `failed`: something has lasted, the agent must not get calls.
    Gives what ends it. */
export function watchOver(timers: Timers, failed: (fault: Fault) => void): () => void {
  const vigil = new Vigil()
  let permission: PermissionStatus | null = null
  let ended = false
  let cancel: () => void = () => undefined
  let minute = 0

  function look(): void {
    if (!ownsPhone() || !phone.value.checked) return
    const found = vigil.look(facts(permission?.state === 'denied'), Date.now())
    if (found === null || found === fault.value) return
    fault.value = found
    tellChecked(false)
    results.value = NOT_CHECKED
    failed(found)
  }

  async function askBrowser(): Promise<void> {
    alerts.value = typeof Notification === 'undefined' ? 'missing' : Notification.permission
    if (permission) return
    const found = await navigator.permissions?.query({ name: 'microphone' as PermissionName }).catch(() => null)
    if (!found || ended) return
    permission = found
    permission.addEventListener('change', look)
  }

  function tick(): void {
    if (ended) return
    if (minute-- <= 0) {
      minute = MINUTE_MS / WATCH_MS
      void askBrowser().then(look)
    } else look()
    cancel = timers.after(WATCH_MS, tick)
  }

  const stop = watch([() => phone.value.microphone, () => phone.value.registration, sound, alerts], look)
  whenAskedToCheck(() => void runCheck())
  tick()
  return () => {
    ended = true
    cancel()
    stop()
    permission?.removeEventListener('change', look)
    results.value = NOT_CHECKED
    fault.value = null
  }
}

/** The words for what failed last: in the check, else in the watch. */
export const shownFault = computed(() => fault.value ?? faultOf(results.value))
