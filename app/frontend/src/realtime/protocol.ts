// The frames of /ws, as docs/websocket.md describes them. Times are epoch milliseconds of the server.
import type { Card } from '../api/types'

export type AgentStateName = 'signed_out' | 'ready' | 'offered' | 'talking' | 'wrap_up' | 'not_ready'

export interface AgentView {
  agent_id: string
  name: string
  state: AgentStateName
  since_ms: number | null
  reason: string | null
  not_ready_reason?: string | null
  unreachable: boolean
  in_use?: boolean
  busy_outside?: boolean
  endpoint: string | null
  phone_registered: boolean | null
  until_ms?: number | null
  wrapup_until_ms?: number | null
  next_state: string | null
  next_reason?: string | null
  /** Who set the state, or the one after this call, when it was not the agent. */
  set_by?: string
  call_id: string | null
  /** The talk that this supervisor oversees, and how. */
  overseeing?: Overseeing | null
}

export type OverseeMode = 'listen' | 'whisper' | 'barge'

/** `agent_id` is whose talk it is; ringing: the supervisor's own telephone. */
export interface Overseeing {
  call_id: string
  agent_id: string
  mode: OverseeMode
  state: 'ringing' | 'up'
}

/** A party of a call. state: dialing, ringing, up. */
export interface Member {
  role: 'citizen' | 'agent' | 'third'
  agent_id: string
  number: string
  state: string
  /** Since when they are there; null while they are being rung. */
  joined_ms?: number | null
  /** Of a third party whose number is a unit's. */
  unit_id?: number | null
  unit_name?: string
  kind?: 'consult' | 'conference' | 'emergency' | ''
}

/** What holds in a talk beside who is in it; sent as a whole whenever one of them changes. */
export interface CallMarks {
  call_id: string
  /** Since when this agent is not heard. */
  muted_ms: number | null
  /** Confidential pause: the recording is silent until then. */
  paused: { since_ms: number; until_ms: number } | null
  talks_with: 'citizen' | 'third' | 'all'
  /** Since when a supervisor has been asked to come. */
  help_ms: number | null
  /** How a supervisor takes part, as far as the agent is told. */
  overseen: OverseeMode | null
  members: Member[]
}

/** Something that was said in a talk, as a machine heard it; `final` is false while it may still change. */
export interface Words {
  side: 'citizen' | 'agent'
  segment: number
  start_ms: number
  text: string
  final: boolean
}

/** Something about the agent's own words, told to this agent alone: a phrase that is never said was, or one that is to be said was not. */
export interface PhraseHint {
  code: string
  kind: 'required' | 'forbidden'
  told: 'said' | 'missing' | 'heard'
  /** Chinese, English. */
  name: [string, string]
  say: string
  segment: number
  at_ms: number
}

export interface CallView extends Partial<Omit<CallMarks, 'call_id' | 'members'>> {
  call_id: string
  number: string
  phase: string
  agent_id: string | null
  joined_ms: number | null
  answered_ms: number | null
  held: boolean
  /** Since when, by this page's knowledge; the server does not tell. */
  held_ms?: number | null
  outbound?: boolean
  /** The queue calls this citizen back; in phase `callback` they have not answered yet. */
  callback?: boolean
  /** False from pick-up until the staff number has been said to both. */
  talked?: boolean
  /** What was said so far, and what each side is believed to say now: known to this page alone. */
  said?: Words[]
  saying?: Record<'citizen' | 'agent', string>
  /** What was to be told of the agent's own words, the newest last. */
  hints?: PhraseHint[]
  members: Member[]
  card: Card | null
  offer?: { offer_id: string; deadline_ms: number | null } | null
}

export interface Rate {
  num: number
  den: number
  rate: number | null
}

export interface BoardAgent {
  agent_id: string
  name: string
  state: AgentStateName
  since_ms: number
  reason: string | null
  not_ready_reason?: string
  unreachable: boolean
  /** Since when no page of theirs is there, of who needs one. */
  page_lost_ms?: number | null
  /** The talk that they have. */
  call?: BoardCall | null
}

export interface BoardCall {
  call_id: string
  since_ms: number
  held: boolean
  paused: boolean
  help_ms: number | null
  language: string
  overseen: OverseeMode | null
}

/** Something a supervisor must look at, from its raising to its end. */
export interface BoardAlert {
  alert_id: string
  kind: string
  /** The staff number that it is about; "" where there is one only. */
  subject: string
  name: string
  sort: 'callers' | 'seconds' | 'share' | 'megabytes'
  value: number
  raise_at: number
  raised_ms: number
  /** Who has said first that they know; "" while nobody has. */
  acked_by: string
  acked_ms: number | null
}

export interface Board {
  depth: number
  /** Citizens who wait to be called back by the queue; they are not in depth. */
  callbacks: number
  longest_wait_s: number
  waiting: { position: number; call_id: string; number_masked: string; language: string; waited_s: number; priority?: number; queue?: string }[]
  agents: BoardAgent[]
  /** Agents who have asked for a supervisor, the first to ask first. */
  help?: { call_id: string; agent_id: string; name: string; since_ms: number }[]
  by_state: Record<string, number>
  answered_in_15s: Rate
  connect_24h: Rate
  /** How often callers were answered within the wait they were told, and by how much its middle was off. */
  foretold_24h: Rate & { error_s: number }
  /** What is open, what nobody has acknowledged first. */
  alerts?: BoardAlert[]
  as_of_ms: number
}

export interface Notice {
  level: 'info' | 'warning' | 'error'
  code?: string
  /** In Chinese; `ui/notices.ts` says it in the reader's language where it knows the code. */
  text: string
  by?: string
  state?: string
  /** The state begins after this call. */
  later?: boolean
  /** Names of queues or settings. */
  names?: string
  detail?: string
  agent?: string
  /** One of several Asterisk nodes. */
  node?: string
  /** Set when it is about one call only. */
  call_id?: string
}

export interface Snapshot {
  agent: AgentView | null
  calls: CallView[]
  wallboard: Board | null
  server_ms: number
}

export interface CallEndedData {
  call_id: string
  at_ms: number
  why: string
  draft: { case_id: number; case_number: string; version: number; state?: string } | null
}

export type DeltaEvent =
  | { event: 'agent.state'; data: AgentView }
  | { event: 'call.pop'; data: { offer_id: string; call_id: string; deadline_ms: number; card: Card | null; callback?: boolean } }
  | { event: 'call.card'; data: { call_id: string; card: Card } }
  | { event: 'call.ringing'; data: { call_id: string; offer_id: string } }
  | { event: 'call.answered'; data: { call_id: string; channel?: string; at_ms: number } }
  | { event: 'call.held' | 'call.resumed' | 'call.room'; data: { call_id: string; phase?: string; members: Member[]; talked?: boolean } }
  | { event: 'call.marks'; data: CallMarks }
  | { event: 'call.words'; data: Words & { call_id: string } }
  | { event: 'call.hint'; data: PhraseHint & { call_id: string } }
  | { event: 'call.offer_ended'; data: { call_id: string; offer_id: string; why: string } }
  | { event: 'call.ended'; data: CallEndedData }
  | { event: 'wallboard.figures'; data: Board }
  | { event: 'notice'; data: Notice }
  | { event: 'notices.changed'; data: object }

export type ServerFrame =
  | { type: 'snapshot'; epoch: string; seq: number; data: Snapshot }
  | ({ type: 'delta'; seq: number; epoch?: string } & DeltaEvent)
  | { type: 'ping'; server_ms: number }
  | { type: 'result'; id: string; ok: true; data?: unknown }
  | { type: 'result'; id: string; ok: false; error: { code: string; message: string } }

export type Stream = 'agent' | 'wallboard'

export type CommandName =
  | 'agent.sign_in'
  | 'agent.sign_out'
  | 'agent.ready'
  | 'agent.not_ready'
  | 'agent.next_state'
  | 'agent.set_state'
  | 'alert.acknowledge'
  | 'wrapup.done'
  | 'wrapup.extend'
  | 'call.answer'
  | 'call.hold'
  | 'call.resume'
  | 'call.hangup'
  | 'call.lost'
  | 'call.transfer_blind'
  | 'call.consult'
  | 'call.complete_transfer'
  | 'call.cancel_consult'
  | 'call.conference'
  | 'call.mute'
  | 'call.pause'
  | 'call.pause_end'
  | 'call.swap'
  | 'call.help'
  | 'call.help_end'
  | 'call.emergency'
  | 'call.oversee'
  | 'call.oversee_end'
  | 'call.dial'
  | 'callback.start'

/** Close codes that say why; any other close is a lost connection. */
export const CLOSED = { notSignedIn: 4401, notAllowed: 4403, tooSlow: 4408, replaced: 4409 } as const
