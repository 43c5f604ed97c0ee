import { expect, it } from 'vitest'
import type { ClockRule } from '../api/types'
import { amountFits, daysWarned, pathOf, toSend, warningFits, written } from './clocks'

const RULE: ClockRule = {
  kind: 'handle',
  case_type: null,
  urgency: null,
  way: 'written',
  limit: { amount: 7, unit: 'working_days', warn_percent: 25 },
  own: false,
  shipped: null,
  changed_at: null,
  changed_by_name: null,
}

it('names a rule by its matters, and any where anything will do', () => {
  expect(pathOf(RULE)).toBe('/clock-rules/handle/any/any/written')
  expect(pathOf({ ...written(null), case_type: 'complaint', urgency: 'life' })).toBe('/clock-rules/handle/complaint/life/any')
})

it('takes only whole amounts within what the unit allows', () => {
  const form = written(RULE)
  const fits = (amount: string, unit = form.unit): boolean => amountFits({ ...form, amount, unit })
  expect([fits('1'), fits('250'), fits('0'), fits('251'), fits('1.5'), fits('-1'), fits(''), fits('251', 'hours')]).toEqual([true, true, false, false, false, false, false, true])
  expect(['0', '1', '90', '91', 'x'].map((warn_percent) => warningFits({ ...form, warn_percent }))).toEqual([false, true, true, false, false])
  expect(toSend({ ...form, amount: ' 5 ' })).toEqual({ amount: 5, unit: 'working_days', warn_percent: 25 })
})

it('warns of whole working days', () => {
  expect([7, 4, 1].map((amount) => daysWarned({ ...RULE.limit, amount }))).toEqual([2, 1, 1])
})
