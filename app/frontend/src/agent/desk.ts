// The agent's desk: which case is open, what the last command did. Lives as long as the login, so that looking up another
// page in the middle of a call loses nothing.
import { computed, effectScope, ref, shallowRef, watch } from 'vue'
import type { EffectScope } from 'vue'
import { api, toApiError } from '../api/http'
import type { Card, Case, CaseFields, CaseRow, Citizen, Page } from '../api/types'
import { t } from '../i18n'
import type { Key } from '../i18n'
import { zh } from '../i18n/zh'
import { toast } from '../notify/toast'
import { CommandError } from '../realtime/link'
import type { CommandName } from '../realtime/protocol'
import { currentCall } from '../realtime/reducer'
import { command, linkStatus, live, nowDialling } from '../realtime/store'
import { pageTimers } from '../realtime/timers'
import { answerInBrowser, forgetAnswer, phone, startPhone, stopPhone } from '../phone/phone'
import { browserEndpoint } from '../phone/state'
import { me } from '../session/session'
import { EMPTY, unsent } from './draft/core'
import type { Stored } from './draft/core'
import { forgetHeard } from './suggesting'
import { found } from './draft/kept'
import { DraftKeeper } from './draft/keeper'

/** The open case: of a call (call_id) or opened from a list. */
export interface Opened {
  call_id: string | null
  card: Card | null
  citizen: Citizen | null
}

export const keeper = shallowRef<DraftKeeper | null>(null)
export const openedCase = shallowRef<Opened | null>(null)
/** The case that was registered last, to be told to the caller. */
export const registeredNumber = ref<string | null>(null)
export const myDrafts = shallowRef<CaseRow[]>([])
/** Somebody writes what becomes of the open case: the end of wrap-up must not take that from under their hands. */
export const ending = ref(false)
/** What runs: names of commands, of some with what they are about (`ABOUT`). */
export const pending = ref(new Set<string>())

export const agent = computed(() => live.value.agent)
export const call = computed(() => currentCall(live.value.calls, live.value.agent))
export const offer = computed(() => live.value.offer)
export const talking = computed(() => call.value !== null && offer.value === null)
/** The agent signed in with the page's own telephone. */
export const inBrowser = computed(() => {
  const it = agent.value
  return it !== null && it.state !== 'signed_out' && it.endpoint === browserEndpoint(it.agent_id)
})
/** The page's telephone rings for something that is no offer: a colleague. */
export const colleagueRings = computed(() => inBrowser.value && phone.value.talk === 'ringing' && offer.value === null)

let scope: EffectScope | null = null
/** A network that is half dead answers nothing: the text goes out again, the server knows what it has had. */
const SAVE_WITHIN_MS = 8000
const REGISTER_WITHIN_MS = 15_000

function newKeeper(): DraftKeeper {
  return new DraftKeeper({
    owner: String(me.value?.user.id ?? ''),
    empty: EMPTY,
    shelf: localStorage,
    timers: pageTimers,
    now: Date.now,
    save: (id, version, fields, keepalive) => api(`/cases/${id}`, { method: 'PATCH', body: { version, fields }, keepalive, within: SAVE_WITHIN_MS }),
    register: (id, version, fields) => api<Case>(`/cases/${id}/register`, { method: 'POST', body: { version, fields }, within: REGISTER_WITHIN_MS }),
  })
}

function replaceKeeper(next: DraftKeeper | null): void {
  const before = keeper.value
  keeper.value = next
  void before?.close()
}

/** A call came, its card came or changed, or the work on it is over. */
function follow(call_id: string | null, card: Card | null): void {
  const now = openedCase.value
  if (call_id === null) return over()
  if (now?.call_id === call_id) {
    openedCase.value = { call_id, card: card ?? now.card, citizen: card?.citizen ?? now.citizen }
    if (card?.draft) keeper.value?.attach(card.draft)
    return
  }
  registeredNumber.value = null
  openedCase.value = { call_id, card, citizen: card?.citizen ?? null }
  const next = newKeeper()
  next.open(card?.draft ?? null, card?.draft?.state ?? 'draft')
  replaceKeeper(next)
  if (card?.draft && live.value.card_old) void freshen(next, card.draft.case_id)
}

/** Brings an old draft up to what is stored. A server that is away changes nothing: the next save meets the difference. */
async function freshen(open: DraftKeeper, case_id: number): Promise<void> {
  const stored = await api<Case>(`/cases/${case_id}`).catch(() => null)
  if (stored && keeper.value === open) open.refresh(stored)
}

/** The call's work is over. A case that was talked about and not registered, or that is just being ended, stays on the screen
    until its agent puts it away. */
function over(): void {
  const state = keeper.value?.state.value
  const talkedAbout = live.value.offerEnded?.call_id !== openedCase.value?.call_id
  if (openedCase.value?.call_id && state && talkedAbout && state.state === 'draft' && state.case_id !== null) return void loadDrafts()
  if (openedCase.value?.call_id && ending.value) return void loadDrafts()
  if (openedCase.value?.call_id) putAway()
}

/** Closes the open case; what was written is stored first. */
export function putAway(): void {
  forgetHeard()
  openedCase.value = null
  registeredNumber.value = null
  replaceKeeper(null)
  void loadDrafts()
}

/** Opens a stored case at the desk. Throws ApiError. */
export async function openStored(id: number): Promise<void> {
  const stored = await api<Case>(`/cases/${id}`)
  if (live.value.card_call_id !== null && stored.call_id !== live.value.card_call_id) {
    // The caller on the line comes first; the other case can be read on its own page.
    return
  }
  registeredNumber.value = null
  openedCase.value = { call_id: stored.call_id, card: live.value.card, citizen: stored.citizen ?? null }
  const next = newKeeper()
  next.open({ case_id: stored.id, case_number: stored.number, version: stored.version, fields: stored.fields }, stored.state)
  replaceKeeper(next)
}

/** Registers the open case, or registers and answers it in one act: once, however often it is asked. Throws ApiError. */
export async function registerCase(answered = false): Promise<Stored | null> {
  if (!keeper.value) return null
  const saved = await keeper.value.register(answered ? answerAtOnce : undefined)
  registeredNumber.value = saved.number
  void loadDrafts()
  return saved
}

const answerAtOnce = (id: number, version: number, fields: Partial<CaseFields>): Promise<Case> =>
  api<Case>(`/cases/${id}/answer-at-once`, { method: 'POST', body: { version, fields }, within: REGISTER_WITHIN_MS })

async function loadDrafts(): Promise<void> {
  const id = me.value?.agent?.agent_id
  if (!id) return
  const answer = await api<Page<CaseRow & { fields?: { title?: string } }>>('/cases', { query: { state: 'draft', agent: id, page_size: 10 } }).catch(() => null)
  if (answer) myDrafts.value = answer.items.map((row) => ({ ...row, title: row.title ?? row.fields?.title ?? '' }))
}

/** Texts that another session of this computer could not send: sent now, in the background. */
async function sendLeftovers(): Promise<void> {
  const owner = String(me.value?.user.id ?? '')
  const seen = new Set<number>() // several pages may have kept something of one case: whoever opens it takes all of it
  for (const kept of found(localStorage, owner)) {
    if (keeper.value?.state.value.case_id === kept.case_id || seen.has(kept.case_id)) continue
    seen.add(kept.case_id)
    const sender = newKeeper()
    sender.open({ case_id: kept.case_id, case_number: kept.case_number, version: kept.version, fields: kept.base })
    await sender.flush()
    const left = unsent(sender.state.value)
    await sender.close()
    if (!left) toast(t('case.restored'), 'ready')
  }
}

/** Answers what rings: the page's own telephone by itself, a desk phone by asking the exchange. */
export function answer(): void {
  const call_id = offer.value?.call_id
  if (inBrowser.value) answerInBrowser(call_id ?? phone.value.call_id)
  else if (call_id) void act('call.answer', { call_id })
}

/** Of which the next may be another wish while one runs: L and at once W, an alert and the next one. The server does them in turn. */
const ABOUT = new Set<CommandName>(['call.oversee', 'alert.acknowledge', 'agent.set_state'])

/** What the agent asks for has their own telephone ring: the page answers it by itself. Another way of taking part in the same
    talk rings nobody. */
const ringsBack = (name: CommandName): boolean => inBrowser.value && (name === 'call.dial' || (name === 'call.oversee' && !agent.value?.overseeing))

/** Sends a command; what went wrong is told. The same pressed again while it runs does nothing. Gives whether it worked. */
export async function act(name: CommandName, args: Record<string, unknown> = {}): Promise<boolean> {
  const asked = ABOUT.has(name) ? `${name} ${JSON.stringify(args)}` : name
  if (pending.value.has(asked)) return false
  pending.value = new Set(pending.value).add(asked)
  const rings = ringsBack(name)
  if (rings) answerInBrowser('')
  try {
    const data = (await command(name, args)) as { call_id?: string } | null | undefined
    if (name === 'call.dial' && data?.call_id) nowDialling(data.call_id, String(args.number ?? ''))
    return true
  } catch (error) {
    if (rings) forgetAnswer()
    toast(t('call.failed', { why: wordsFor(error) }), 'trouble', 9000)
    return false
  } finally {
    const rest = new Set(pending.value)
    rest.delete(asked)
    pending.value = rest
  }
}

function wordsFor(error: unknown): string {
  if (!(error instanceof CommandError)) return toApiError(error).message
  const key = `command.${error.code}`
  return key in zh ? t(key as Key) : error.message || error.code
}

export function startDesk(): void {
  if (scope) return
  scope = effectScope(true)
  scope.run(() => {
    watch(
      () => [live.value.card_call_id, live.value.card] as const,
      ([call_id, card]) => follow(call_id, card),
      { immediate: true, flush: 'sync' },
    )
    watch(inBrowser, (chosen) => (chosen ? startPhone(String(agent.value?.agent_id), agent.value?.phone_registered === true) : stopPhone()), { immediate: true })
    watch(linkStatus, (status) => status === 'live' && keeper.value?.hurry())
    watch(
      () => live.value.offerEnded,
      (ended) => {
        if (ended) forgetAnswer()
        if (ended && ended.why !== 'cancelled') toast(t('call.offerEnded', { why: whyWord(ended.why) }), 'paused')
      },
    )
  })
  const hidden = (): void => {
    if (document.hidden) void keeper.value?.flush(true)
  }
  const back = (): void => keeper.value?.hurry()
  document.addEventListener('visibilitychange', hidden)
  window.addEventListener('pagehide', hidden)
  window.addEventListener('online', back)
  stopEvents = () => {
    document.removeEventListener('visibilitychange', hidden)
    window.removeEventListener('pagehide', hidden)
    window.removeEventListener('online', back)
  }
  void sendLeftovers()
  void loadDrafts()
}

let stopEvents: () => void = () => undefined

export function stopDesk(): void {
  scope?.stop()
  scope = null
  stopEvents()
  stopPhone()
  replaceKeeper(null)
  forgetHeard()
  openedCase.value = null
  registeredNumber.value = null
  myDrafts.value = []
}

function whyWord(why: string): string {
  const key = `call.why.${why}`
  return key in zh ? t(key as Key) : why
}
