// Number audits as the server tells them. Times are seconds; a sign is [what was heard, from, to] in milliseconds.
import type { Recording } from '../api/types'

export const RESULTS = ['answered', 'no_answer', 'busy', 'vacant', 'intercepted', 'fax', 'silent', 'wrong', 'untried'] as const
export const STATES = ['calling', 'to_grade', 'graded'] as const
export const GRADES = ['A', 'B', 'C', 'D'] as const
export type Result = (typeof RESULTS)[number]
export type RoundStep = 'start' | 'pause' | 'resume' | 'close' | 'publish' | 'cancel'

export interface Round {
  id: number
  title: string
  state: 'planned' | 'running' | 'paused' | 'closed' | 'published' | 'cancelled'
  mode: 'person' | 'automatic'
  first_day: string
  last_day: string
  hours: string
  at_once: number
  version: number
  numbers: Record<(typeof STATES)[number], number>
  steps: RoundStep[]
  published_at: string | null
}

export interface AreaRow {
  area: string
  n: number
  grades: Record<string, number>
  passed: number
  mean: number
}

export interface Target {
  id: number
  unit_id: number
  unit_name: string
  number: string
  area: string
  place: string
  state: (typeof STATES)[number]
  result: Result | null
  total: number | null
  grade: string | null
  case_id: number | null
}

export interface OwnTarget extends Target {
  round_title: string
  published_at: string | null
  scores: Record<string, string>
  note: string
}

export interface Attempt {
  id: number
  ordinal: number
  state: 'planned' | 'asked' | 'dialling' | 'done' | 'lost' | 'dropped'
  planned_at: string
  dialled_at: string | null
  waited_s: number | null
  lasted_s: number | null
  cause: number | null
  outcome: string | null
  signs: [string, number, number][]
  recording: Recording | null
  mine: boolean
}

export interface WholeTarget extends Target {
  version: number
  round_id: number
  round_title: string
  round_state: Round['state']
  mode: Round['mode']
  office_hours: string
  heard: Result | null
  scores: Record<string, string>
  note: string
  reviewer_name: string
  graded_at: string | null
  attempts: Attempt[]
  may_grade: boolean
  may_call: boolean
}

export interface Published {
  id: number
  number: string
  unit_id: number
  unit_name: string
  area: string
  place: string
  office_hours: string
  active: boolean
  version: number
}
