// What the case loop's REST gives and takes (app/assignments/shapes.py); times are ISO 8601 in UTC.
import type { Case } from '../api/types'
import type { Named } from './templates'

export const BOARDS = ['dispatch', 'returns', 'under_way', 'review', 'proposals', 'deferred'] as const
export type BoardName = (typeof BOARDS)[number]
/** Counted no further than 1,000. */
export interface Count {
  all: number
  late: number
}

/** A case in a list: without its long texts. */
export type BoardRow = Omit<Case, 'fields'> & { fields: Partial<Case['fields']> }

export interface Item {
  id: string
  text: string
}

/** What a unit was asked, in a list. */
export interface WorkRow {
  id: number
  case_id: number
  unit_id: number
  unit: string
  parent_id: number | null
  lead: boolean
  way: string
  state: string
  round: number
  returns: number
  version: number
  due_at: string | null
  given_at: string
  signed_at: string | null
  replied_at: string | null
}

/** … with what the asker can do. */
export interface ActedRow extends WorkRow {
  acts: string[]
}

export interface Reply {
  round: number
  version: number
  state: 'draft' | 'submitted' | 'approved'
  result: string
  measures: string
  next_step: string
  letter: string
  opinion: string
  opinion_why: string
  signed_name: string
  /** The templates that its words began with, and what these are called. */
  template_source: string
  sources: Named[]
  answers: Record<string, string>
  papers: Record<string, string>
  contact: string
  contacted_at: string | null
  signed_at: string | null
  sealed: boolean
  leader_opinion: string
  leader_name: string
  leader_at: string | null
}

/** An assignment whole. */
export interface FullWork extends ActedRow {
  instructions: string
  items: Item[]
  papers: { id: string; name: string }[]
  replies: Reply[]
  warnings: { where: string; zh: string; en: string }[]
  below: WorkRow[]
  case: Case
}

/** A call-back and what it brought. */
export interface Try {
  at: string
  by: string
  call_id: string | null
  round: number
  reached: string
  satisfaction: string
  solved: boolean | null
  contacted_in_time: boolean | null
  true_to_reality: boolean | null
  note: string
  propose_redo: boolean
}

export interface CaseRef {
  id: number
  number: string
  state: string
}

export interface Loop {
  acts: string[]
  items: Item[]
  about_unit: string | null
  to_unit: string | null
  works: ActedRow[]
  tries: Try[]
  merged_into: CaseRef | null
  /** The ended case that this one repeats. */
  repeat_of: CaseRef | null
  twins: CaseRef[]
  redo_proposed: boolean
}

/** Where a case stands after an act. */
export interface ActedCase {
  id: number
  state: string
  version: number
  due_at: string | null
}

export const URGENCIES = ['general', 'utilities', 'life'] as const
export const WAYS = ['written', 'telephone', 'coordinated', 'research'] as const
export const GROUNDS = ['outside', 'emergency', 'litigation', 'arbitration', 'petition', 'reconsideration', 'disclosure', 'secret'] as const
export const OPINIONS = ['very_satisfied', 'satisfied', 'fair', 'dissatisfied', 'very_dissatisfied'] as const
export const REACHED = ['spoken', 'no_answer', 'declined', 'wrong_number', 'none'] as const
