import { expect, it } from 'vitest'
import type { WorkYear } from '../api/types'
import { led, monthsOf, textOf, weekday } from './workdays'

const YEAR: WorkYear = {
  year: 2026,
  provisional: false,
  known: true,
  published_by: '',
  published_on: null,
  changed_at: null,
  changed_by_name: null,
  days: [
    { day: '2026-10-01', kind: 'holiday', note: '国庆节', source: 'published', changed_at: null, changed_by_name: null },
    { day: '2026-10-10', kind: 'makeup', note: '国庆节', source: 'published', changed_at: null, changed_by_name: null },
  ],
}

it('draws every day of the year once, in weeks from Monday on', () => {
  const months = monthsOf(YEAR)
  const cells = months.flatMap((month) => month.weeks.flat()).filter((cell) => cell !== null)
  expect(cells.length).toBe(365)
  expect(months.every((month) => month.weeks.every((week) => week.length === 7))).toBe(true)
  const october = months[9]!.weeks
  expect(october[0]!.map((cell) => cell?.date ?? 0)).toEqual([0, 0, 0, 1, 2, 3, 4])
  expect(october[0]!.map((cell) => cell?.kind)).toEqual([undefined, undefined, undefined, 'holiday', 'work', 'weekend', 'weekend'])
  expect(october[1]![5]).toEqual({ day: '2026-10-10', date: 10, kind: 'makeup', note: '国庆节' })
  expect(weekday('2026-11-23')).toBe(0)
})

it.each([
  ['2026-10-01', 'ArrowRight', '2026-10-02'],
  ['2026-10-01', 'ArrowLeft', '2026-09-30'],
  ['2026-10-01', 'ArrowDown', '2026-10-08'],
  ['2026-10-01', 'ArrowUp', '2026-09-24'],
  ['2026-10-01', 'Home', '2026-09-28'],
  ['2026-10-01', 'End', '2026-10-04'],
  ['2026-10-31', 'PageUp', '2026-09-30'],
  ['2026-01-31', 'PageDown', '2026-02-28'],
  ['2026-12-31', 'ArrowRight', '2026-12-31'],
  ['2026-01-01', 'PageUp', '2026-01-01'],
])('leads from %s by %s to %s', (day, key, to) => {
  expect(led(day, key)).toBe(to)
})

it('leaves other keys to the browser', () => {
  expect(led('2026-10-01', 'Enter')).toBe(null)
})

it('reads tables in UTF-8 and in GBK', () => {
  expect(textOf(new TextEncoder().encode('日期').buffer as ArrayBuffer)).toBe('日期')
  expect(textOf(new Uint8Array([0xc8, 0xd5, 0xc6, 0xda]).buffer)).toBe('日期')
})
