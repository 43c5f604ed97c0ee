import { expect, it } from 'vitest'
import { fitting, stays } from './fitting'

const SIX = [50, 50, 50, 50, 50, 50]

it('shows all where there is room for all, and needs no button then', () => {
  expect(fitting(SIX, 2, 60, 310)).toBe(6)
  expect(fitting([], 2, 60, 0)).toBe(0)
})

it('leaves out the last ones for a button, and some room for what grows beside it', () => {
  expect(fitting(SIX, 2, 60, 309)).toBe(4)
  expect(fitting(SIX, 2, 60, 179)).toBe(1)
  expect(fitting(SIX, 2, 60, 10)).toBe(0)
})

it('stays as it is while what stands beside it grows by a digit or two', () => {
  expect([stays(400, 390), stays(400, 412), stays(400, 370)]).toEqual([true, true, false])
})
