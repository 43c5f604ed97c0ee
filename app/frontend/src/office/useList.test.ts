import { expect, it } from 'vitest'
import { told } from './useList'

const page = (total: number, at = 1) => ({ items: [], total, page: at, page_size: 25 })

it('says how many there are, and that there may be more where the server stopped counting', () => {
  expect(told(page(0))).toBe('0')
  expect(told(page(999))).toBe('999')
  expect(told(page(1000))).toBe('1000+')
  expect(told(page(1025, 2))).toBe('1025+')
  expect(told(page(1060, 4))).toBe('1060')
})
