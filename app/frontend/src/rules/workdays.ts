// The working-day calendar as the page draws it: months of weeks, what kind of day each is, and a file's text.
import type { WorkYear } from '../api/types'

/** "work" and "weekend" are days as usual. */
export type DayKind = 'work' | 'weekend' | 'holiday' | 'makeup'

export interface Cell {
  /** "2026-10-01" */
  day: string
  date: number
  kind: DayKind
  note: string
}

export interface Month {
  month: number
  /** Weeks from Monday on; null where the week has days of another month. */
  weeks: (Cell | null)[][]
}

const DAY = 24 * 60 * 60 * 1000
const two = (n: number): string => String(n).padStart(2, '0')
const utc = (day: string): number => Date.parse(`${day}T00:00:00Z`)

/** "2026-10-01" and a number of days: the day so far away. */
export const away = (day: string, days: number): string => new Date(utc(day) + days * DAY).toISOString().slice(0, 10)

/** Monday is 0. */
export const weekday = (day: string): number => (new Date(utc(day)).getUTCDay() + 6) % 7

/** The twelve months of a year with what differs in them. */
export function monthsOf(year: WorkYear): Month[] {
  const known = new Map(year.days.map((one) => [one.day, one]))
  return Array.from({ length: 12 }, (_, at) => {
    const length = new Date(Date.UTC(year.year, at + 1, 0)).getUTCDate()
    const cells: (Cell | null)[] = Array.from({ length }, (_, before) => {
      const day = `${year.year}-${two(at + 1)}-${two(before + 1)}`
      const one = known.get(day)
      return { day, date: before + 1, kind: one?.kind ?? (weekday(day) > 4 ? 'weekend' : 'work'), note: one?.note ?? '' }
    })
    cells.unshift(...Array.from({ length: weekday(`${year.year}-${two(at + 1)}-01`) }, () => null))
    while (cells.length % 7) cells.push(null)
    return { month: at + 1, weeks: Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7)) }
  })
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }

/** Where a key leads from `day` within its year; null for keys that lead nowhere. */
export function led(day: string, key: string): string | null {
  let to = day
  if (key in STEPS) to = away(day, STEPS[key]!)
  else if (key === 'Home') to = away(day, -weekday(day))
  else if (key === 'End') to = away(day, 6 - weekday(day))
  else if (key === 'PageUp' || key === 'PageDown') to = otherMonth(day, key === 'PageUp' ? -1 : 1)
  else return null
  return to.slice(0, 4) === day.slice(0, 4) ? to : day
}

/** The same date of another month, or that month's last day. */
function otherMonth(day: string, by: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const last = new Date(Date.UTC(year, month + by, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + by, Math.min(date, last))).toISOString().slice(0, 10)
}

/** A table's text. Spreadsheets in China often save it as GBK instead of UTF-8. */
export function textOf(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}
