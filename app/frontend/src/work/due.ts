// How long there is until an end, or how long ago it came: two units of time, no seconds.
import { t } from '../i18n'

const MINUTE = 60_000
const PARTS = [
  { unit: 'days', ms: 1440 * MINUTE },
  { unit: 'hours', ms: 60 * MINUTE },
  { unit: 'minutes', ms: MINUTE },
] as const
/** Less than this and a whole day is left to none: it is said to be near. */
const NEAR_MS = 1440 * MINUTE

export interface Due {
  tone: 'trouble' | 'paused' | 'away'
  icon: 'warning' | 'clock'
  text: string
}

/** "2 天 3 小时": the largest unit that fits, and the next below it. */
export function span(ms: number): string {
  const first = PARTS.findIndex((part) => ms >= part.ms)
  if (first < 0) return t('work.span.none')
  const said: string[] = []
  let left = ms
  for (const part of PARTS.slice(first, first + 2)) {
    const n = Math.floor(left / part.ms)
    left -= n * part.ms
    if (n) said.push(t(`work.span.${part.unit}`, { n }))
  }
  return said.join(' ')
}

/** The end as people read it at `now`; null where nothing is timed. */
export function dueOf(due_at: string | null, now: number): Due | null {
  if (!due_at) return null
  const left = Date.parse(due_at) - now
  if (left <= 0) return { tone: 'trouble', icon: 'warning', text: t('work.late', { span: span(-left) }) }
  return { tone: left < NEAR_MS ? 'paused' : 'away', icon: 'clock', text: t('work.left', { span: span(left) }) }
}
