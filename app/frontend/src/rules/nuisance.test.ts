import { expect, it } from 'vitest'
import { ACTIONS, MEASURES, blank, ends, measured, toSend } from './nuisance'

const NOW = Date.parse('2026-11-24T01:00:00Z')

it('begins with three days from now on the city’s clock', () => {
  expect(blank(NOW).until).toBe('2026-11-27T09:00')
})

it('sends a number or a call, never both, and a measure only where there is one', () => {
  const form = { ...blank(NOW), number: ' 13800138000 ', value: '7', why: ' 谩骂 ' }
  expect(toSend(form, '')).toEqual({ number: '13800138000', action: 'announcement', value: 0, until: '2026-11-27T09:00:00+08:00', why: '谩骂' })
  expect(toSend({ ...form, action: 'limit' }, 'h-1.1')).toEqual({ call_id: 'h-1.1', action: 'limit', value: 7, until: '2026-11-27T09:00:00+08:00', why: '谩骂' })
})

it.each(ACTIONS)('takes only measures within the range of %s', (action) => {
  const range = MEASURES[action]
  const say = (value: string): boolean => measured({ ...blank(NOW), action, value })
  expect(say('')).toBe(range === null)
  if (range) expect([say(String(range[0])), say(String(range[1])), say(String(range[0] - 1)), say(String(range[1] + 1)), say('1.5'), say('-1')]).toEqual([true, true, false, false, false, false])
})

it('takes only ends later than now and within a year', () => {
  const say = (until: string): boolean => ends({ ...blank(NOW), until }, NOW)
  expect([say('2026-11-24T09:01'), say('2026-11-24T09:00'), say('2027-11-24T09:00'), say('2027-11-24T09:01'), say('')]).toEqual([true, false, true, false, false])
})
