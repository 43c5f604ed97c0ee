// Pure: what the page knows of agent, call and wallboard after each frame. No clock, no socket, no page.
import type { Card } from '../api/types'
import type { AgentView, Board, CallEndedData, CallView, DeltaEvent, Member, Notice, PhraseHint, ServerFrame, Snapshot, Words } from './protocol'

/** A call being offered to this agent. deadline_ms: when the phone stops ringing. */
export interface Offer {
  offer_id: string
  call_id: string
  deadline_ms: number | null
  ringing: boolean
}

export interface RealtimeState {
  epoch: string | null
  seq: number
  agent: AgentView | null
  calls: Record<string, CallView>
  offer: Offer | null
  /** The card to work on: of the call offered, talked, or just ended and being wrapped up. */
  card: Card | null
  /** Which call `card` belongs to; known even while the card itself is late. */
  card_call_id: string | null
  /** The card came with a snapshot, so its draft is as old as the offer: the stored case may have moved on. */
  card_old: boolean
  ended: CallEndedData | null
  offerEnded: { call_id: string; why: string } | null
  board: Board | null
  notices: Notice[]
  /** How often the server has said that something new is in the inbox. */
  told: number
}

export const initialState: RealtimeState = {
  epoch: null,
  seq: 0,
  agent: null,
  calls: {},
  offer: null,
  card: null,
  card_call_id: null,
  card_old: false,
  ended: null,
  offerEnded: null,
  board: null,
  notices: [],
  told: 0,
}

const KEPT_NOTICES = 5
const KEPT_WORDS = 200
const KEPT_HINTS = 9

/** What a delta's number means here: the next one, one already seen, or a gap that needs a new snapshot. */
export function order(state: RealtimeState, seq: number): 'next' | 'seen' | 'gap' {
  if (seq <= state.seq) return 'seen'
  return seq === state.seq + 1 ? 'next' : 'gap'
}

export function reduce(state: RealtimeState, frame: ServerFrame): RealtimeState {
  if (frame.type === 'snapshot') return fromSnapshot(state, frame.epoch, frame.seq, frame.data)
  if (frame.type !== 'delta' || order(state, frame.seq) === 'seen') return state
  return { ...apply(state, frame), seq: frame.seq }
}

/** A snapshot replaces everything but the card being wrapped up, which no server state holds. */
function fromSnapshot(state: RealtimeState, epoch: string, seq: number, data: Snapshot): RealtimeState {
  const calls = Object.fromEntries(data.calls.map((call) => [call.call_id, { ...call, ...wordsOf(state.calls[call.call_id]) }]))
  const own = currentCall(calls, data.agent)
  const offered = own !== null && (own.offer != null || data.agent?.state === 'offered')
  const working = own !== null || data.agent?.state === 'wrap_up'
  return {
    ...state,
    epoch,
    seq,
    agent: data.agent,
    calls,
    offer: offered
      ? { offer_id: own.offer?.offer_id ?? '', call_id: own.call_id, deadline_ms: own.offer?.deadline_ms ?? endOf(data.agent), ringing: true }
      : null,
    card: own && !own.outbound ? (own.card ?? (state.card_call_id === own.call_id ? state.card : null)) : working ? state.card : null,
    card_call_id: own && !own.outbound ? own.call_id : working ? state.card_call_id : null,
    card_old: true,
    ended: working && !own ? state.ended : null,
    offerEnded: null,
    board: data.wallboard ?? state.board,
    // What was missed may have been told by the inbox.
    told: state.epoch === null ? state.told : state.told + 1,
  }
}

/** What was said is on this page alone: a snapshot does not have it. */
const wordsOf = (call?: CallView): Partial<CallView> => ({ ...(call?.said ? { said: call.said } : {}), ...(call?.hints ? { hints: call.hints } : {}) })

function apply(state: RealtimeState, delta: DeltaEvent): RealtimeState {
  switch (delta.event) {
    case 'agent.state':
      return agentChanged(state, delta.data)
    case 'call.pop': {
      const { call_id, offer_id, deadline_ms, card, callback } = delta.data
      const offer: Offer = { call_id, offer_id, deadline_ms, ringing: state.offer?.offer_id === offer_id && state.offer.ringing }
      const call = { ...newCall(call_id, card, callback ? 'callback' : 'connect', state.agent?.agent_id ?? null), callback }
      return { ...state, offer, card, card_call_id: call_id, card_old: false, ended: null, offerEnded: null, calls: { ...state.calls, [call_id]: call } }
    }
    case 'call.card': {
      const { call_id, card } = delta.data
      const calls = change(state.calls, call_id, { card })
      return state.card_call_id === call_id ? { ...state, card, calls } : { ...state, calls }
    }
    case 'call.ringing':
      return state.offer?.call_id === delta.data.call_id ? { ...state, offer: { ...state.offer, ringing: true } } : state
    case 'call.answered':
      return answered(state, delta.data.call_id, delta.data.at_ms)
    case 'call.held':
    case 'call.resumed':
    case 'call.room':
      return partiesChanged(state, delta.data)
    case 'call.marks': {
      const { call_id, ...marks } = delta.data
      return { ...state, calls: change(state.calls, call_id, marks) }
    }
    case 'call.words': {
      const { call_id, ...words } = delta.data
      const known = state.calls[call_id]
      return known ? { ...state, calls: change(state.calls, call_id, heard(known, words)) } : state
    }
    case 'call.hint': {
      const { call_id, ...hint } = delta.data
      const known = state.calls[call_id]
      return known ? { ...state, calls: change(state.calls, call_id, { hints: hinted(known.hints ?? [], hint) }) } : state
    }
    case 'call.offer_ended': {
      const { call_id, why } = delta.data
      if (state.offer && state.offer.call_id !== call_id) return state
      return { ...state, offer: null, calls: without(state.calls, call_id), card: null, card_call_id: null, offerEnded: { call_id, why } }
    }
    case 'call.ended': {
      const { call_id } = delta.data
      const mine = state.card_call_id === call_id
      return {
        ...state,
        calls: without(state.calls, call_id),
        offer: state.offer?.call_id === call_id ? null : state.offer,
        ended: mine ? delta.data : state.ended,
      }
    }
    case 'wallboard.figures':
      return { ...state, board: delta.data }
    case 'notices.changed':
      return { ...state, told: state.told + 1 }
    case 'notice':
      return delta.data.call_id ? state : { ...state, notices: noticed(state.notices, delta.data) }
    default:
      return state // of a server that is younger than this page
  }
}

/** Words that are final stand in the order of their moments; what a side is believed to say is replaced by what follows. */
function heard(call: CallView, words: Words): Partial<CallView> {
  const saying = { citizen: '', agent: '', ...call.saying, [words.side]: words.final ? '' : words.text }
  if (!words.final) return { saying }
  const said = [...(call.said ?? []), words].sort((one, other) => one.segment - other.segment || one.start_ms - other.start_ms)
  return { saying, said: said.slice(-KEPT_WORDS) }
}

/** One hint for each phrase, the newest last; what was missed and has been said then needs none. */
function hinted(hints: PhraseHint[], hint: PhraseHint): PhraseHint[] {
  const others = hints.filter((one) => one.code !== hint.code)
  return hint.told === 'heard' ? others : [...others, hint].slice(-KEPT_HINTS)
}

/** What stands there already is not said twice: a reminder changes nothing under the cursor. */
function noticed(notices: Notice[], notice: Notice): Notice[] {
  return notices.some((it) => it.text === notice.text) ? notices : [...notices, notice].slice(-KEPT_NOTICES)
}

/** A call that this agent dials: no pop comes for it, and no case with it. */
export function dialled(state: RealtimeState, call_id: string, number: string): RealtimeState {
  if (state.calls[call_id]) return state
  const call = { ...newCall(call_id, null, 'outbound', state.agent?.agent_id ?? null), number, outbound: true }
  return { ...state, calls: { ...state.calls, [call_id]: call } }
}

function answered(state: RealtimeState, call_id: string, at_ms: number): RealtimeState {
  const known = state.calls[call_id] ?? newCall(call_id, null, 'talk', state.agent?.agent_id ?? null)
  const calls = { ...state.calls, [call_id]: { ...known, phase: 'talk', answered_ms: at_ms, held: false, talked: known.outbound === true } }
  const next = { ...state, calls, offer: null, offerEnded: null }
  if (known.outbound) return next
  return { ...next, ended: null, card_call_id: call_id, card: state.card_call_id === call_id ? state.card : known.card }
}

/** Held, resumed, somebody came or left. A call that the page did not know counts only if this agent is in it. */
function partiesChanged(state: RealtimeState, data: { call_id: string; phase?: string; members: Member[]; talked?: boolean }): RealtimeState {
  const { call_id, members } = data
  const own = state.agent?.agent_id
  let known = state.calls[call_id]
  if (!known) {
    if (!own || state.ended?.call_id === call_id || !members.some((member) => member.agent_id === own)) return state
    known = newCall(call_id, null, data.phase ?? 'room', own)
  }
  const phase = data.phase ?? known.phase
  const number = known.number || members.find((member) => member.role === 'citizen')?.number || ''
  const talked = data.talked ?? known.talked
  const call = { ...known, phase, number, members, talked, held: phase === 'held', outbound: known.outbound || phase === 'outbound' }
  return { ...state, calls: { ...state.calls, [call_id]: call } }
}

/** Ready or away again: the work on the last call is over, its card leaves the page. */
function agentChanged(state: RealtimeState, agent: AgentView): RealtimeState {
  const before = state.agent
  const next: RealtimeState = { ...state, agent: { ...before, ...agent } }
  const working = agent.state === 'offered' || agent.state === 'talking' || agent.state === 'wrap_up'
  if (agent.state !== 'offered' && state.offer) next.offer = agent.state === 'talking' ? state.offer : null
  if (!working && Object.keys(state.calls).length === 0) {
    next.card = null
    next.card_call_id = null
    next.ended = null
  }
  return next
}

/** The call this agent is in or is offered: the one the agent's state names, else the only one. */
export function currentCall(calls: Record<string, CallView>, agent: AgentView | null): CallView | null {
  const named = agent?.call_id ? calls[agent.call_id] : undefined
  return named ?? Object.values(calls)[0] ?? null
}

/** When the agent's present state ends by itself (offer or wrap-up), epoch ms. */
export function endOf(agent: AgentView | null): number | null {
  return agent?.wrapup_until_ms ?? agent?.until_ms ?? null
}

function newCall(call_id: string, card: Card | null, phase: string, agent_id: string | null): CallView {
  return { call_id, number: card?.number ?? '', phase, agent_id, joined_ms: card?.joined_ms ?? null, answered_ms: null, held: false, members: [], card }
}

function change(calls: Record<string, CallView>, call_id: string, changes: Partial<CallView>): Record<string, CallView> {
  const known = calls[call_id]
  return known ? { ...calls, [call_id]: { ...known, ...changes } } : calls
}

function without(calls: Record<string, CallView>, call_id: string): Record<string, CallView> {
  return Object.fromEntries(Object.entries(calls).filter(([id]) => id !== call_id))
}
