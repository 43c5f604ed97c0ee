// A rule's thresholds as they are written: shares in per cent, everything else as it is counted. Pure.
import type { AlertRule, Sort, Thresholds } from './types'

export const KINDS = ['depth', 'longest_wait', 'none_ready', 'answered_15s', 'connect_24h', 'long_talk', 'long_wrap_up', 'long_not_ready', 'desktop_lost', 'disk'] as const

export interface Written {
  enabled: boolean
  raise_at: string
  clear_at: string
  for_s: string
  clear_s: string
  least: string
}

const shown = (sort: Sort, value: number): string => String(sort === 'share' ? Math.round(value * 10_000) / 100 : value)

export function written(rule: Thresholds & Pick<AlertRule, 'sort'>): Written {
  return {
    enabled: rule.enabled,
    raise_at: shown(rule.sort, rule.raise_at),
    clear_at: shown(rule.sort, rule.clear_at),
    for_s: String(rule.for_s),
    clear_s: String(rule.clear_s),
    least: String(rule.least),
  }
}

const NUMBER = /^\d{1,9}(\.\d{1,2})?$/
const WHOLE = /^\d{1,6}$/

/** Which fields do not hold a number. */
export function notNumbers(rule: Pick<AlertRule, 'sort' | 'grows'>, values: Written): (keyof Written)[] {
  const thresholds: (keyof Written)[] = rule.grows ? ['raise_at'] : ['raise_at', 'clear_at']
  const spells: (keyof Written)[] = ['for_s', 'clear_s', 'least']
  return [...thresholds.filter((name) => !(rule.sort === 'share' ? NUMBER : WHOLE).test(String(values[name]).trim())), ...spells.filter((name) => !WHOLE.test(String(values[name]).trim()))]
}

/** As the server takes it. */
export function toSend(rule: AlertRule, values: Written): Thresholds & { version: number } {
  const number = (text: string): number => (rule.sort === 'share' ? Number(text) / 100 : Number(text))
  const raise_at = number(values.raise_at)
  return {
    enabled: values.enabled,
    raise_at,
    clear_at: rule.grows ? raise_at : number(values.clear_at),
    for_s: Number(values.for_s),
    clear_s: Number(values.clear_s),
    least: Number(values.least),
    version: rule.version,
  }
}
