// What a citizen is told of a case (app/progress/routes.py): names, which the page says in words; times are ISO 8601 in UTC.

export interface Progress {
  number: string
  state: string
  received_at: string
  steps: { step: string; at: string }[]
  /** The leading one first. */
  units: string[]
  due_at: string | null
  provisional: boolean
  answer: string
  ground: string | null
  withheld: 'confidential' | 'merged' | null
  merged: boolean
}

/** What an agent reads out. */
export interface Code {
  number: string
  code: string
}
