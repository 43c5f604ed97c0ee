// What the server sends of a unit's work.
import type { Count, FullWork, Reply, WorkRow } from '../loop/types'

export type { Reply, WorkRow }

export const BOXES = ['to_sign', 'at_work', 'to_approve', 'from_below', 'handed_in', 'done'] as const
export type Box = (typeof BOXES)[number]
export type Counts = Partial<Record<Box, Count>>

/** What may be done to an assignment; the server says which of them. */
export type Act =
  | 'signed'
  | 'started'
  | 'handed_down'
  | 'submitted'
  | 'reworked'
  | 'replied'
  | 'accepted'
  | 'redo'
  | 'returned'
  | 'return_refused'
  | 'return_upheld'
  | 'withdrawn'

export interface InboxRow extends WorkRow {
  number: string
  title: string
  type: string | null
  urgency: string
  area: string
}

/** An assignment whole, to those who do the work. */
export type Work = Omit<FullWork, 'acts'> & { acts: Act[] }

/** A line of a case's history that tells of an assignment. */
export interface Line {
  at: string
  actor_name: string | null
  event: string
  detail: { assignment?: number; reason?: string; unit_id?: number; opinion?: string; round?: number } | null
}
