// The one live picture of the page: state from the frames, the server's clock, the age of the data.
import { computed, nextTick, ref, shallowRef } from 'vue'
import { toast } from '../notify/toast'
import { dialled, initialState, order, reduce } from './reducer'
import type { RealtimeState } from './reducer'
import { Link } from './link'
import type { LinkStatus, Socket } from './link'
import type { CommandName, ServerFrame, Stream } from './protocol'
import { steadyTimers } from './timers'

export const live = shallowRef<RealtimeState>(initialState)
export const linkStatus = ref<LinkStatus>('closed')
/** Since when the present trouble lasts (this computer's clock, ms); null while the link is live. */
export const downSince = ref<number | null>(null)

const heardAt = ref<number | null>(null)
const clockOffset = ref(0)
const tick = ref(Date.now())

/** The server's time now, epoch ms; moves twice a second while the page is seen. */
export const serverNow = computed(() => tick.value + clockOffset.value)
/** Whole seconds since the server was last heard; null before the first word. */
export const dataAge = computed(() => (heardAt.value === null ? null : Math.max(0, Math.floor((tick.value - heardAt.value) / 1000))))
export const localNow = computed(() => tick.value)

let link: Link | null = null
const offsets: number[] = []

/** The server's clock is ahead by the largest recent difference: the frame that spent least time on the way. */
export function learnClock(server_ms: number): void {
  offsets.push(server_ms - Date.now())
  if (offsets.length > 12) offsets.shift()
  clockOffset.value = Math.max(...offsets)
}

function take(frame: ServerFrame): boolean {
  if (frame.type === 'ping') learnClock(frame.server_ms)
  if (frame.type === 'snapshot') learnClock(frame.data.server_ms)
  if (frame.type === 'delta') {
    const place = order(live.value, frame.seq)
    if (place === 'gap') return false
    if (place === 'seen') return true
  }
  live.value = withHoldTimes(live.value, reduce(live.value, frame))
  if (frame.type === 'delta' && frame.event === 'notice' && frame.data.call_id) toast(frame.data.text, frame.data.level === 'info' ? 'talking' : 'paused', 9000)
  if (frame.type === 'delta' && frame.event === 'call.pop') acknowledgeWhenPainted(frame.seq)
  return true
}

/** Notes when a call was put on hold, as this page saw it. */
function withHoldTimes(before: RealtimeState, after: RealtimeState): RealtimeState {
  if (after.calls === before.calls) return after
  const calls = { ...after.calls }
  for (const [id, call] of Object.entries(calls)) {
    const since = call.held ? (before.calls[id]?.held_ms ?? serverNow.value) : null
    if ((call.held_ms ?? null) !== since) calls[id] = { ...call, held_ms: since }
  }
  return { ...after, calls }
}

/** A hidden page paints nothing but rings, notifies and changes its title: there the pop counts as shown once the page is updated. */
function acknowledgeWhenPainted(seq: number): void {
  void nextTick(() => {
    if (document.hidden) link?.acknowledge(seq)
    else requestAnimationFrame(() => setTimeout(() => link?.acknowledge(seq), 0))
  })
}

function status(next: LinkStatus): void {
  if (next === 'live') downSince.value = null
  else if (downSince.value === null) downSince.value = Date.now()
  linkStatus.value = next
}

function theLink(): Link {
  if (link) return link
  link = new Link({
    open: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`) as unknown as Socket,
    timers: steadyTimers(),
    now: () => Date.now(),
    random: Math.random,
    take,
    position: () => (live.value.epoch === null ? null : { epoch: live.value.epoch, seq: live.value.seq }),
    status,
    heard: (at) => {
      heardAt.value = at
      if (document.hidden) tick.value = at
    },
  })
  window.addEventListener('online', () => link?.hurry())
  document.addEventListener('visibilitychange', () => {
    tick.value = Date.now()
    if (!document.hidden) link?.hurry()
  })
  setInterval(() => (tick.value = Date.now()), 500)
  return link
}

let wanted: Stream[] = []

/** Connects for these streams, or changes to them. */
export function goLive(streams: Stream[]): void {
  wanted = streams
  theLink().connect(streams)
}

/** Connects afresh for the same streams: this window takes the place of another. */
export function takeOver(): void {
  leave()
  goLive(wanted)
}

/** Ends the connection and forgets everything: another person may sit here next. */
export function leave(): void {
  link?.close()
  live.value = initialState
  heardAt.value = null
  downSince.value = null
}

/** Sends a command and gives the result's data. Throws CommandError. */
export function command(name: CommandName, args: Record<string, unknown> = {}): Promise<unknown> {
  return theLink().command(name, args)
}

/** The call that this agent has just asked to be dialled. */
export function nowDialling(call_id: string, number: string): void {
  live.value = dialled(live.value, call_id, number)
}

export function dismissNotice(index: number): void {
  live.value = { ...live.value, notices: live.value.notices.filter((_, at) => at !== index) }
}
