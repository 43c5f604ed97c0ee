// What the server sends of chases, urgent matters and requests for more time (app/chasing/routes.py, app/assignments/extension_routes.py).
export const LEVELS = ['first', 'second', 'reprimand', 'exposure', 'order'] as const
export type Level = (typeof LEVELS)[number]
export const CHASE_STATES = ['sent', 'met', 'unmet', 'draft', 'confirmed', 'dropped'] as const

export interface Chase {
  id: number
  case_id: number
  number: string
  title: string
  assignment_id: number | null
  /** null: the centre itself is late. */
  unit_id: number | null
  unit: string
  step: string
  round: number
  level: Level
  state: (typeof CHASE_STATES)[number]
  text: string
  due_at: string
  at: string
  next_at: string | null
  issued_by_name: string
  decided_by_name: string
  decided_at: string | null
  reason: string
  may_decide: boolean
}

export interface UnitCount {
  unit_id: number | null
  unit: string
  levels: Record<Level, number>
}

export interface Urgent {
  id: number
  case_id: number
  number: string
  title: string
  state: string
  urgency: string
  cause: string
  at: string
  tries: number
  next_at: string | null
  known_at: string | null
  may_acknowledge: boolean
  receipts: { by_name: string; at: string }[]
}

export interface Extension {
  id: number
  state: 'requested' | 'approved' | 'refused' | 'lapsed'
  amount: number
  unit_of_time: string
  reason: string
  asked_at: string
  asked_by_name: string
  due_at: string
  decided_at: string | null
  decided_by_name: string
  decision_why: string
  case_id: number | null
  number: string
  title: string
  assignment_id: number | null
  unit_id: number | null
  unit: string
}

export interface Standing {
  /** null: nothing is timed now. */
  unit_of_time: string | null
  due_at: string | null
  may_ask: boolean
  requests: Extension[]
}
