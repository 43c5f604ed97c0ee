// Calling out, as the server tells it.
import type { Language } from '../api/types'

export const KINDS = ['reminder', 'result', 'survey', 'subscription'] as const
export const MODES = ['lines', 'agents'] as const
export const STATES = ['draft', 'running', 'paused', 'done', 'stopped'] as const
export const TARGET_STATES = ['waiting', 'calling', 'reached', 'given_up', 'refused', 'left_out'] as const
export const OUTCOMES = ['human', 'machine', 'fax', 'busy', 'no_answer', 'unallocated', 'congestion', 'declined', 'failed', 'sent', 'not_sent', 'unknown'] as const
/** After which outcomes somebody is called again, in the order of the form. */
export const AGAIN = ['busy', 'no_answer', 'machine', 'declined', 'congestion', 'unknown'] as const
export const LANGUAGES: readonly Language[] = ['zh', 'yue', 'en']

export type State = (typeof STATES)[number]

export interface Texts {
  purpose: string
  message: string
  question: string
}

export interface Campaign {
  id: number
  name: string
  kind: (typeof KINDS)[number]
  state: State
  mode: (typeof MODES)[number]
  queue: string
  priority: number
  texts: Partial<Record<Language, Texts>>
  /** Languages whose message is a recording. */
  recordings: Language[]
  answers: Record<string, string>
  on_machine: 'message' | 'nothing'
  channel: 'phone' | 'sms' | 'email'
  at_night: 'wait' | 'sms'
  windows: [string, string][]
  workdays: boolean
  most_attempts: number
  spacing: Record<string, number>
  ring_s: number
  most_lines: number
  /** Whoever is to be asked about a call comes onto the list by itself. */
  gathers: boolean
  /** State → how many numbers. */
  targets: Record<string, number>
  version: number
  created_at: string
  created_by_name: string | null
  started_at: string | null
  ended_at: string | null
}

export interface Target {
  id: number
  number: string
  language: string
  channel: string
  case_id: number | null
  state: (typeof TARGET_STATES)[number]
  attempts: number
  next_at: string | null
  outcome: string
  answer: string
  person: boolean
  why: string
  ended_at: string | null
}

export interface Results {
  attempts: number
  on_their_way: number
  outcomes: Record<string, number>
  states: Record<string, number>
  answers: Record<string, number>
  persons: number
}

export interface FromCases {
  found: number
  added: number
  known: number
  without_number: number
  left_out: Record<string, number>
  written: boolean
}

export interface Wish {
  id: number
  number: string
  said: 'do_not_call' | 'consent'
  about: 'campaigns' | 'all' | 'survey' | 'subscription'
  how: string
  why: string
  call_id: string
  open: boolean
  created_at: string
  created_by_name: string | null
  ended_at: string | null
  ended_by_name: string | null
  end_why: string
}
