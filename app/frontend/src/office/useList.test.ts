import { expect, it } from 'vitest'
import { newRows, told } from './useList'

const page = (total: number, at = 1) => ({ items: [], total, page: at, page_size: 25 })

it('says how many there are, and that there may be more where the server stopped counting', () => {
  expect(told(page(0))).toBe('0')
  expect(told(page(499))).toBe('499')
  expect(told(page(500))).toBe('500+')
  expect(told(page(525, 2))).toBe('525+')
  expect(told(page(560, 4))).toBe('560')
})

it('tells of new rows: one that moved up because another left is none', () => {
  const of = (total: number, ...items: number[]) => ({ items, total, page: 1, page_size: 2 })
  const same = (row: number): number => row
  expect(newRows(of(3, 1, 2), of(2, 2, 3), same)).toBe(0)
  expect(newRows(of(3, 1, 2), of(4, 9, 1), same)).toBe(1)
  expect(newRows(of(3, 1, 2), of(3, 1, 2), same)).toBe(0)
  expect(newRows(of(3, 1, 2), of(3, 9, 2), same)).toBe(1)
  expect(newRows(of(2, 1, 2), of(0), same)).toBe(0)
})
