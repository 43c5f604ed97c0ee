// What the room asks the server by REST.
import type { AnnouncementCallers } from '../api/types'

export interface Tally {
  calls: number
  answered: number
  in_time: number
  judged: number
  abandoned: number
  mean_wait_s: number | null
  mean_talk_s: number | null
}

export interface FigureRow {
  from: string
  until: string
  now: Tally
  before: Tally
}

export interface Figures {
  from: string
  until: string
  before_from: string
  rows: FigureRow[]
  now: Tally
  before: Tally
  /** Who was asked how satisfied they were with a call, and who said so. */
  rated: { asked: number; answered: number }
  /** Callers who heard a surge announcement, each once. */
  announced: AnnouncementCallers
  as_of: string
}

export interface StaffingRow {
  from: string
  until: string
  expected: number | null
  needed: number | null
  on_shift: number | null
  at_work: number | null
  seen: number
  came: Tally
  theory: number | null
}

export interface Staffing {
  day: string
  days: string[]
  handling_s: number | null
  share: number
  within_s: number
  rows: StaffingRow[]
  as_of: string
}

export type Sort = 'callers' | 'seconds' | 'share' | 'megabytes'

export interface Thresholds {
  enabled: boolean
  raise_at: number
  clear_at: number
  for_s: number
  clear_s: number
  least: number
}

export interface AlertRule extends Thresholds {
  kind: string
  sort: Sort
  falls: boolean
  grows: boolean
  low: number
  high: number
  shipped: Thresholds
  version: number
  changed_at: string | null
  changed_by_name: string | null
}

export interface AlertRow {
  id: number
  kind: string
  sort: Sort
  subject: string
  name: string | null
  value: number
  last_value: number | null
  raise_at: number
  raised_at: string
  cleared_at: string | null
  acked_by_name: string
  acked_at: string | null
}
