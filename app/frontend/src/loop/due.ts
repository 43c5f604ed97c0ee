// How long until something is due, or since when it is late: in words, with a tone and an icon, never by colour alone.
import { t } from '../i18n'
import type { Look } from '../ui/looks'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** From here on it is nearly late. */
const NEAR_MS = 4 * HOUR

export interface Due extends Look {
  late: boolean
  unit: 'minutes' | 'hours' | 'days'
  n: number
}

/** Whole minutes under two hours, whole hours under two days, then whole days; never more than is left, at least 1. */
export function dueIn(at: string | null | undefined, now: number): Due | null {
  const then = Date.parse(at ?? '')
  if (Number.isNaN(then)) return null
  const late = then <= now
  const span = Math.abs(then - now)
  const [unit, size] = span < 2 * HOUR ? (['minutes', MINUTE] as const) : span < 2 * DAY ? (['hours', HOUR] as const) : (['days', DAY] as const)
  const look: Look = late ? { tone: 'trouble', icon: 'warning' } : span <= NEAR_MS ? { tone: 'paused', icon: 'clock' } : { tone: 'away', icon: 'clock' }
  return { ...look, late, unit, n: Math.max(1, Math.floor(span / size)) }
}

/** "还剩 3 小时", "超期 2 天". */
export const dueText = (due: Due): string => t(`due.${due.late ? 'late' : 'left'}.${due.unit}`, { n: due.n })
