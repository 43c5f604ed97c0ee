// Reviews of talks as the server tells them. Scores are from 0 to 100, moments milliseconds from the beginning of a recording.
import type { Phrase } from '../agent/phrases'
import type { Recording } from '../api/types'

export interface Level {
  code: string
  zh: string
  en: string
  points: number
  fails: boolean
}

export interface Criterion {
  code: string
  zh: string
  en: string
  weight: number
  asks_zh: string
  asks_en: string
  optional: boolean
  levels: Level[]
}

/** One difference from the edition before; texts are Chinese and English. */
export interface Change {
  where: [string, string]
  what: string
  before: [string, string]
  after: [string, string]
}

/** What talks are judged or drawn by from a day on; 0 is the shipped one. */
export interface Edition {
  number: number
  since: string | null
  made_by_name: string
  made_at: string | null
  note: string
  state: 'holds' | 'to_come' | 'over'
  changes: Change[]
}

export interface CriteriaEdition extends Edition {
  criteria: Criterion[]
}

export const RULES = ['at_least', 'new_agents', 'new_days', 'pressing', 'shortest_s', 'low_rating', 'long_hold_s', 'long_talk_s', 'forbidden'] as const
export type RuleName = (typeof RULES)[number]
export type Rules = Record<RuleName, number>

export interface SamplingEdition extends Edition {
  rules: Rules
}

export interface Sampling {
  editions: SamplingEdition[]
  bounds: Record<RuleName, { low: number; high: number }>
}

interface Count {
  drawn: number
  reasons: Record<string, number>
}

/** A week by the rules that held then, and by those in question. */
export interface Preview {
  week: string
  talks: number
  held: Count
  tried: Count
  agents: { agent_id: string; agent_name: string; talks: number; held: number; tried: number }[]
}

export type ReviewState = 'drawn' | 'skipped' | 'published' | 'acknowledged' | 'appealed' | 'upheld' | 'changed'
export type Step = 'save' | 'publish' | 'skip' | 'acknowledge' | 'appeal' | 'uphold' | 'change' | 'coach'

export interface ReviewRow {
  id: number
  call_id: string
  agent_id: string
  agent_name: string
  reviewer_name: string
  day: string
  reason: string
  state: ReviewState
  total: number | null
  passed: boolean | null
  grade: 'A' | 'B' | 'C' | 'D' | null
  published_at: string | null
  appeal_until: string | null
}

export interface Mark {
  recording: number
  at_ms: number
  text: string
}

/** A phrase that was found in a talk, or is missing there; `name` is Chinese and English. */
export interface Hint {
  recording: number
  at_ms: number
  code: string
  kind: 'required' | 'forbidden'
  state: 'said' | 'elsewhere' | 'missing'
  phrase: string
  name: [string, string]
  line: string
  near: boolean
  shared: boolean
}

/** A talk in which something was found. */
export interface TalkFound {
  call_id: string
  agent_id: string
  agent_name: string
  started_at: string
  findings: Hint[]
  review: number | null
  mine: boolean
  state: ReviewState | null
}

export interface PhrasesEdition extends Edition {
  phrases: Phrase[]
}

export interface Tried {
  pieces: { text: string; code: string; kind: Phrase['kind'] | null; name: [string, string] | []; near: boolean }[]
  missing: [string, string][]
}

export interface Review extends ReviewRow {
  version: number
  /** The edition of the criteria, and what they are: those of the day of the talk. */
  edition: number
  criteria: Criterion[]
  scores: Record<string, string>
  note: string
  coaching: string
  marks: Mark[]
  hints: Hint[]
  /** The edition of the phrases by which the talk was looked through; null while nobody has. */
  looked_by: number | null
  recordings: Recording[]
  history: { at: string; by_name: string; step: string; from_state: string; to_state: string; text: string; detail: Record<string, unknown> }[]
  steps: Step[]
}

export interface Result {
  agent_id: string
  agent_name: string
  reviews: number
  mean: number | null
  passed: boolean | null
  place: number | null
  of: number[]
  failed: string[]
  first: string[]
  off_duty: boolean
  year_failed: boolean
  excellent: boolean
  trainings: { at: string; by_name: string; note: string }[]
}

export interface Sheet {
  quarter: string
  over: boolean
  confirmed_at: string | null
  appeals: number
  least: number
  rows: Result[]
}

export const BOXES = ['mine', 'own', 'appeals', 'all'] as const
export type Box = (typeof BOXES)[number]
