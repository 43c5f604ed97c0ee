// What a form is worth while it is filled in; the server reckons the same (app/quality/criteria.py) and is what counts.
import { locale } from '../i18n'
import type { Criterion, Level } from './types'

export const NOT_ASKED = 'none'
const PASS_MARK = 60

export interface Score {
  total: number
  passed: boolean
}

/** The score of a complete form; null while a criterion has no level yet, or when none came up. */
export function scoreOf(criteria: Criterion[], given: Record<string, string>): Score | null {
  let [points, weights, failed] = [0, 0, false]
  for (const one of criteria) {
    const code = given[one.code]
    if (!code) return null
    const level = one.levels.find((it) => it.code === code)
    if (!level) continue
    points += one.weight * level.points
    weights += one.weight
    failed ||= level.fails
  }
  if (!weights) return null
  const total = Math.floor((2 * points + weights) / (2 * weights))
  return { total, passed: total >= PASS_MARK && !failed }
}

export const named = (one: Pick<Level, 'zh' | 'en'>): string => (locale.value === 'zh' ? one.zh : one.en)
export const asks = (one: Criterion): string => (locale.value === 'zh' ? one.asks_zh : one.asks_en)

/** The codes that may be chosen for a criterion. */
export const levelsOf = (one: Criterion): string[] => [...one.levels.map((level) => level.code), ...(one.optional ? [NOT_ASKED] : [])]

/** The name of a level, or that the criterion did not come up. */
export function levelName(criteria: Criterion[], criterion: string, code: string, none: string): string {
  const level = criteria.find((one) => one.code === criterion)?.levels.find((one) => one.code === code)
  return level ? named(level) : code === NOT_ASKED ? none : '—'
}
