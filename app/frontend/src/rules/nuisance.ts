// A nuisance rule as its form holds it: what each action is measured in, and how long a rule may hold.
import { cityInput, fromCityInput } from '../api/format'
import type { NuisanceRule } from '../api/types'

export type Action = NuisanceRule['action']

/** The measures of each action, from the smallest to the greatest; none where there is nothing to measure. */
export const MEASURES: Record<Action, readonly [number, number] | null> = { announcement: null, limit: [1, 10], lower_priority: [1, 100] }
export const ACTIONS = Object.keys(MEASURES) as Action[]
const DAY = 24 * 60 * 60 * 1000
const LONGEST = 365 * DAY

export interface Written {
  number: string
  action: Action
  value: string
  until: string
  why: string
}

/** What the form begins with: for three days. */
export const blank = (now: number): Written => ({ number: '', action: 'announcement', value: '', until: cityInput(now + 3 * DAY), why: '' })

/** What is sent, about a number or about whoever called in `call`. */
export function toSend(form: Written, call: string): object {
  return {
    ...(call ? { call_id: call } : { number: form.number.trim() }),
    action: form.action,
    value: MEASURES[form.action] ? Number(form.value) : 0,
    until: fromCityInput(form.until),
    why: form.why.trim(),
  }
}

/** Whether the measure that was written is one of this action. */
export function measured(form: Written): boolean {
  const range = MEASURES[form.action]
  return !range || (/^\d{1,3}$/.test(form.value.trim()) && Number(form.value) >= range[0] && Number(form.value) <= range[1])
}

/** Whether the end that was written is one that a rule may have. */
export function ends(form: Written, now: number): boolean {
  const at = Date.parse(fromCityInput(form.until))
  return at > now && at <= now + LONGEST
}
