import { expect, it } from 'vitest'
import type { UnitRow } from '../api/types'
import { above, lines, step } from './tree'

const unit = (id: number, parent_id: number | null): UnitRow => ({ id, parent_id, code: `U${id}`, name: `U${id}`, short_name: `U${id}`, kind: 'bureau', level: 1, active: true })
const NET = [unit(1, null), unit(2, 1), unit(3, 1), unit(4, 2), unit(9, null)]
const ids = (open: number[]): number[] => lines(NET, new Set(open)).map((line) => line.unit.id)

it('shows what is below a unit only while it is open', () => {
  expect(ids([])).toEqual([1, 9])
  expect(ids([1])).toEqual([1, 2, 3, 9])
  expect(ids([1, 2])).toEqual([1, 2, 4, 3, 9])
  expect(ids([2])).toEqual([1, 9])
  expect(lines(NET, new Set([1])).map((line) => [line.depth, line.open])).toEqual([[1, true], [2, false], [2, null], [1, null]])
})

it('keeps units whose parent is not among them', () => {
  expect(lines([unit(4, 2)], new Set()).map((line) => line.unit.id)).toEqual([4])
})

it('is walked with the keys of a tree', () => {
  const shown = lines(NET, new Set([1, 2]))
  expect([step(shown, 0, 'ArrowDown'), step(shown, 0, 'ArrowUp'), step(shown, 0, 'End'), step(shown, 4, 'Home')]).toEqual([{ go: 2 }, {}, { go: 9 }, { go: 1 }])
  expect([step(shown, 0, 'ArrowLeft'), step(shown, 2, 'ArrowLeft'), step(shown, 3, 'ArrowLeft'), step(shown, 4, 'ArrowLeft')]).toEqual([{ close: 1 }, { go: 2 }, { go: 1 }, {}])
  expect([step(shown, 1, 'ArrowRight'), step(shown, 2, 'ArrowRight')]).toEqual([{ go: 4 }, {}])
  expect(step(lines(NET, new Set()), 0, 'ArrowRight')).toEqual({ open: 1 })
  expect(step(shown, 0, 'x')).toBeNull()
})

it('knows what is above a unit', () => {
  expect(above(NET, 4)).toEqual([2, 1])
  expect(above(NET, 1)).toEqual([])
})
