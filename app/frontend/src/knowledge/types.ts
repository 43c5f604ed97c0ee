// What the server tells of the knowledge base.

export type State = 'draft' | 'in_unit' | 'in_review' | 'published' | 'expired' | 'replaced' | 'withdrawn' | 'discarded'
export type Step = 'edit' | 'submit' | 'recall' | 'send_back' | 'vet' | 'approve' | 'confirm' | 'revise' | 'withdraw' | 'discard'
export const TYPES = ['policy', 'guide', 'service', 'notice'] as const

export interface Part {
  text: string
  found: boolean
}

export interface Summary {
  id: number
  state: State
  type: string
  internal: boolean
  areas: string[]
  owner_unit_id: number | null
  unit_name: string
  review_on: string | null
  expires_on: string | null
  used: number
  helped: number
  not_helped: number
}

export interface Hit extends Summary {
  partly: boolean
  /** Of the version in force. */
  number: number
  title: Part[]
  question: Part[]
  excerpt: Part[]
  phone_answer: string
}

export interface Hits {
  items: Hit[]
  noted: boolean
}

export interface Row extends Summary {
  title: string
  number: number
  due_on: string | null
  late: boolean
  written_by_name: string | null
  written_at: string
  submitted_by_name: string | null
  submitted_at: string | null
  reason: string
}

export interface Content {
  title: string
  question: string
  phone_answer: string
  letter_answer: string
  keywords: string[]
  areas: string[]
  type: string
  internal: boolean
  unit_id: number | null
  unit_name: string
  review_on: string | null
  expires_on: string | null
}

export interface Version extends Content {
  number: number
  state: State
  revision: number
  steps: Step[]
  written_by_name: string | null
  written_at: string
  submitted_by_name: string | null
  submitted_at: string | null
  vetted_by_name: string | null
  vetted_at: string | null
  decided_by_name: string | null
  decided_at: string | null
  reason: string
}

export interface Article {
  id: number
  owner_unit_id: number | null
  owner_unit_name: string
  current: number | null
  open: number | null
  review_on: string | null
  expires_on: string | null
  used: number
  helped: number
  not_helped: number
  /** How callers hear it: the number that they key in, and what it translates (itself, if nothing). */
  by_phone: { code: string; language: string; original_id: number; spoken: boolean }
  versions: Version[]
}

/** How a unit stands with what it vouches for. */
export interface Standing {
  unit_id: number
  name: string
  articles: number
  due: number
  late: number
  vet: number
  gaps: number
}

export type GapStep = 'claim' | 'release' | 'give' | 'hand_back' | 'close'

export interface Gap {
  id: number
  words: string
  missed: number
  useless: number
  state: 'open' | 'claimed' | 'given' | 'closed'
  steps: GapStep[]
  unit_id: number | null
  unit_name: string
  first_at: string
  last_at: string
  claimed_by_name: string | null
  closed_by_name: string | null
  closed_at: string | null
  article_id: number | null
  note: string
}
