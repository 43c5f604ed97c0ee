import { expect, it } from 'vitest'
import { lately } from './quarter'
import { levelName, scoreOf } from './score'
import type { Criterion } from './types'

const levels = [
  { code: 'good', zh: '良好', en: 'good', points: 85, fails: false },
  { code: 'grave', zh: '严重', en: 'grave', points: 0, fails: true },
]
const criterion = (code: string, weight: number): Criterion => ({ code, zh: code, en: code, weight, asks_zh: '', asks_en: '', optional: true, levels })
const criteria = [criterion('a', 90), criterion('b', 10)]

it('says nothing of a form that is not complete', () => {
  expect(scoreOf(criteria, { a: 'good' })).toBeNull()
  expect(scoreOf(criteria, { a: 'none', b: 'none' })).toBeNull()
})

it('weighs what came up, and fails what is grave whatever the rest is worth', () => {
  expect(scoreOf(criteria, { a: 'good', b: 'none' })).toEqual({ total: 85, passed: true })
  expect(scoreOf(criteria, { a: 'good', b: 'grave' })).toEqual({ total: 77, passed: false })
})

it('names a level, and what did not come up', () => {
  expect(levelName(criteria, 'a', 'good', '未涉及')).toBe('良好')
  expect(levelName(criteria, 'a', 'none', '未涉及')).toBe('未涉及')
})

it('counts quarters back over a new year, in the city', () => {
  expect(lately(Date.parse('2026-03-31T15:59:00Z'), 3)).toEqual(['2026Q1', '2025Q4', '2025Q3'])
  expect(lately(Date.parse('2026-03-31T16:00:00Z'), 1)).toEqual(['2026Q2'])
})
