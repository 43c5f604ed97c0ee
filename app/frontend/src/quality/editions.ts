// What is typed into a new edition, and how one differs from another. Pure: the server checks all of it again
// (app/quality/editing.py).
import { locale, t } from '../i18n'
import type { Key } from '../i18n'
import type { Change, Criterion, Level } from './types'

export interface LevelDraft extends Omit<Level, 'points'> {
  points: string
}

export interface CriterionDraft extends Omit<Criterion, 'weight' | 'levels'> {
  weight: string
  levels: LevelDraft[]
}

const DAY_MS = 86_400_000
const MONDAY = 1

export const blankLevel = (): LevelDraft => ({ code: '', zh: '', en: '', points: '', fails: false })
export const blankCriterion = (): CriterionDraft => ({ code: '', zh: '', en: '', weight: '', asks_zh: '', asks_en: '', optional: false, levels: [{ ...blankLevel(), points: '100' }, blankLevel()] })

/** As the form begins. */
export const draftsOf = (criteria: readonly Criterion[]): CriterionDraft[] =>
  criteria.map((one) => ({ ...one, weight: String(one.weight), levels: one.levels.map((level) => ({ ...level, points: String(level.points) })) }))

/** A whole number as somebody typed it; null for anything else. */
export function wholeNumber(text: string): number | null {
  const plain = text.normalize('NFKC').trim()
  return /^-?\d{1,6}$/.test(plain) ? Number(plain) : null
}

/** What has no number where one belongs, by the fields that the server names as well. */
export function notNumbers(drafts: readonly CriterionDraft[]): string[] {
  return drafts.flatMap((one, at) => [
    ...(wholeNumber(one.weight) === null ? [`criteria.${at}.weight`] : []),
    ...one.levels.flatMap((level, n) => (wholeNumber(level.points) === null ? [`criteria.${at}.levels.${n}.points`] : [])),
  ])
}

/** As it is sent. Only the last level may fail a talk: one that is the last no more does not. */
export const toSend = (drafts: readonly CriterionDraft[]): Criterion[] =>
  drafts.map((one) => ({
    ...one,
    weight: wholeNumber(one.weight) ?? 0,
    levels: one.levels.map((level, at) => ({ ...level, points: wholeNumber(level.points) ?? 0, fails: level.fails && at === one.levels.length - 1 })),
  }))

export const sumOf = (drafts: readonly CriterionDraft[]): number => drafts.reduce((sum, one) => sum + (wholeNumber(one.weight) ?? 0), 0)

/** The first day on which something new may hold, "YYYY-MM-DD": tomorrow, or the next Monday. `today` likewise. */
export function firstDay(today: string, monday: boolean): string {
  let day = new Date(Date.parse(`${today}T00:00:00Z`) + DAY_MS)
  while (monday && day.getUTCDay() !== MONDAY) day = new Date(day.getTime() + DAY_MS)
  return day.toISOString().slice(0, 10)
}

/** The Monday of a day's week, both "YYYY-MM-DD"; "" while no day is chosen. */
export function mondayOf(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isNaN(at) ? '' : new Date(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10)
}

const read = ([zh, en]: [string, string]): string => (locale.value === 'zh' ? zh : en)

/** One difference in words. */
export function sayChange(change: Change): string {
  const where = read(change.where)
  const what = t(`edition.what.${change.what}` as Key)
  const [before, after] = [read(change.before), read(change.after)]
  if (!before && !after) return what
  if (!before || !after) return [where, what, before || after].filter(Boolean).join(' ')
  return t('edition.change', { where: where && `${where} `, what, before, after })
}
