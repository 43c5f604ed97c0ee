import { expect, it } from 'vitest'
import { blankLevel, draftsOf, firstDay, mondayOf, notNumbers, sayChange, sumOf, toSend, wholeNumber } from './editions'
import type { Criterion } from './types'

const criterion: Criterion = {
  code: 'warm', zh: '态度热情', en: 'friendly', weight: 60, asks_zh: '平和', asks_en: 'calm', optional: false,
  levels: [{ code: 'good', zh: '好', en: 'good', points: 100, fails: false }, { code: 'grave', zh: '严重', en: 'grave', points: 0, fails: true }],
}

it('sends what it was given when nothing was typed', () => {
  expect(toSend(draftsOf([criterion]))).toEqual([criterion])
  expect(notNumbers(draftsOf([criterion]))).toEqual([])
})

it('reads numbers as people type them, and says where there is none', () => {
  expect([wholeNumber(' ３０ '), wholeNumber('30'), wholeNumber('3.5'), wholeNumber(''), wholeNumber('三十')]).toEqual([30, 30, null, null, null])
  const [draft] = draftsOf([criterion])
  draft!.weight = 'x'
  draft!.levels.push(blankLevel())
  expect(notNumbers([draft!])).toEqual(['criteria.0.weight', 'criteria.0.levels.2.points'])
  expect(sumOf([draft!, ...draftsOf([criterion])])).toBe(60)
})

it('lets only the last level fail a talk', () => {
  const [draft] = draftsOf([criterion])
  draft!.levels.push({ ...blankLevel(), points: '0' })
  expect(toSend([draft!])[0]!.levels.map((level) => level.fails)).toEqual([false, false, false])
})

it('begins tomorrow, or on the next Monday', () => {
  expect([firstDay('2026-11-26', false), firstDay('2026-12-31', false)]).toEqual(['2026-11-27', '2027-01-01'])
  expect([firstDay('2026-11-26', true), firstDay('2026-11-29', true), firstDay('2026-11-30', true)]).toEqual(['2026-11-30', '2026-11-30', '2026-12-07'])
  expect([mondayOf('2026-11-26'), mondayOf('2026-11-29'), mondayOf('2026-11-30'), mondayOf('')]).toEqual(['2026-11-23', '2026-11-23', '2026-11-30', ''])
})

it('tells a difference in words', () => {
  const same = (text: string): [string, string] => [text, text]
  expect(sayChange({ where: ['业务熟练', 'knows'], what: 'weight', before: same('30%'), after: same('25%') })).toBe('业务熟练 权重：30% → 25%')
  expect(sayChange({ where: ['倾听', 'listens'], what: 'added', before: same(''), after: same('10%') })).toBe('倾听 新增 10%')
  expect(sayChange({ where: same(''), what: 'order', before: same(''), after: same('') })).toBe('调整了顺序')
})
