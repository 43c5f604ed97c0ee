// A time limit as its form holds it, and how a rule is named.
import type { ClockRule, Limit } from '../api/types'

export const KINDS = ['dispatch', 'sign', 'handle', 'review', 'follow_up'] as const
export const TYPES = ['consult', 'help', 'suggestion', 'opinion', 'complaint', 'report', 'praise'] as const
export const URGENCIES = ['life', 'utilities', 'general'] as const
export const WAYS = ['written', 'telephone', 'consult'] as const

/** The greatest amount of each unit: about a year. */
export const MOST: Record<Limit['unit'], number> = { working_days: 250, hours: 8760, working_hours: 2000 }
export const UNITS = Object.keys(MOST) as Limit['unit'][]

export interface Written {
  kind: string
  case_type: string
  urgency: string
  way: string
  amount: string
  unit: Limit['unit']
  warn_percent: string
}

/** What the form begins with: a rule that is there, or a new one about handling. */
export const written = (rule: ClockRule | null): Written => ({
  kind: rule?.kind ?? 'handle',
  case_type: rule?.case_type ?? '',
  urgency: rule?.urgency ?? '',
  way: rule?.way ?? '',
  amount: rule ? String(rule.limit.amount) : '',
  unit: rule?.limit.unit ?? 'working_days',
  warn_percent: String(rule?.limit.warn_percent ?? 25),
})

/** The address of the rule for these matters; "any" where anything will do. */
export const pathOf = (key: Pick<ClockRule, 'kind' | 'case_type' | 'urgency' | 'way'> | Written): string =>
  ['/clock-rules', key.kind, key.case_type || 'any', key.urgency || 'any', key.way || 'any'].join('/')

const whole = (text: string, most: number): boolean => /^\d{1,4}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= most

export const amountFits = (form: Written): boolean => whole(form.amount, MOST[form.unit])
export const warningFits = (form: Written): boolean => whole(form.warn_percent, 90)
export const toSend = (form: Written): Limit => ({ amount: Number(form.amount), unit: form.unit, warn_percent: Number(form.warn_percent) })

/** How many of the last working days are warned of: whole ones, at least one. */
export const daysWarned = (limit: Limit): number => Math.ceil((limit.amount * limit.warn_percent) / 100)
