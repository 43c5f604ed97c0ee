// The figures by half-hour as the page reads them: which value a measure has, how it is told, which calls stand behind it. Pure.
import type { RouteLocationRaw } from 'vue-router'
import { duration, percent, shortTime } from '../api/format'
import type { FigureRow, Tally } from './types'

export const MEASURES = ['calls', 'answered', 'in_time', 'abandoned', 'wait', 'talk'] as const
export type Measure = (typeof MEASURES)[number]

/** Null where there is nothing to tell: no calls, no share. */
export function valueOf(tally: Tally, measure: Measure): number | null {
  if (measure === 'wait') return tally.mean_wait_s
  if (measure === 'talk') return tally.mean_talk_s
  if (measure === 'in_time') return tally.judged ? tally.in_time / tally.judged : null
  return tally[measure]
}

export function told(value: number | null, measure: Measure): string {
  if (measure === 'in_time') return percent(value)
  if (measure === 'wait' || measure === 'talk') return duration(value)
  return value === null ? '—' : String(value)
}

/** Which result names the calls behind a measure. */
const RESULTS: Record<Measure, string> = { calls: 'joined', answered: 'answered', in_time: 'in_time', abandoned: 'abandoned', wait: 'joined', talk: 'answered' }

/** The list of the calls behind a figure. */
export const callsBehind = (row: { from: string; until: string }, measure: Measure): RouteLocationRaw => ({
  path: '/calls',
  query: { result: RESULTS[measure], since: row.from, until: row.until },
})

/** From the first half-hour in which there is something to tell to the last: the hours in which the hotline is there. */
export function busy<Row>(rows: Row[], tells: (row: Row) => boolean): Row[] {
  const some = rows.map(tells)
  const first = some.indexOf(true)
  return first < 0 ? [] : rows.slice(first, some.lastIndexOf(true) + 1)
}

/** Somebody called, now or a week ago. */
export const called = (row: FigureRow): boolean => row.now.calls > 0 || row.before.calls > 0

/** A half-hour's beginning or end: "09:30". */
export const timeOfDay = (at: string): string => shortTime(at).slice(-5)
