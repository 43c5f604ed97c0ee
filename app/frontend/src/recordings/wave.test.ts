import { expect, it } from 'vitest'
import { arrowOf, letterOf } from './keys'
import { columns, decoded, drawn, placed } from './wave'

const key = (name: string, more = {}): Parameters<typeof arrowOf>[0] => ({ key: name, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, isComposing: false, ...more })

it('reads the steps as the server writes them', () => {
  expect([...decoded(btoa('\x00\x80\xff'))]).toEqual([0, 128, 255])
})

it('keeps the loudest of what it draws together, and every step when there are few', () => {
  expect(columns(Uint8Array.from([1, 9, 2, 3, 0, 7]), 3)).toEqual([9, 3, 7])
  expect(columns(Uint8Array.from([4, 5]), 600)).toEqual([4, 5])
  expect(columns(new Uint8Array(0), 600)).toEqual([0])
  expect(Math.max(...columns(new Uint8Array(14_400).fill(3).fill(200, 7_000, 7_001), 600))).toBe(200)
})

it('draws silence as a line that can be seen', () => {
  expect(drawn([0], 20)).toBe('M0.5 19.5V20.5')
})

it('puts pauses where they are in this recording', () => {
  const at = '2026-11-24T01:00:00Z'
  const pause = (since: string, until: string | null): { since: string; until: string | null } => ({ since: `2026-11-24T${since}Z`, until: until && `2026-11-24T${until}Z` })
  expect(placed([pause('01:00:10', '01:00:20')], at, 60)).toEqual([{ from: 10, to: 20 }])
  expect(placed([pause('00:59:50', '01:00:05'), pause('01:00:50', null)], at, 60)).toEqual([{ from: 0, to: 5 }, { from: 50, to: 60 }])
  expect(placed([pause('00:58:00', '00:59:00'), pause('01:02:00', '01:03:00')], at, 60)).toEqual([])
})

it('leaves keys alone that belong to somebody else', () => {
  expect(arrowOf(key('ArrowLeft'))).toEqual({ by: -5 })
  expect(arrowOf(key('ArrowLeft', { altKey: true }))).toBeNull()
  expect(letterOf(key('K'), false)).toBe('toggle')
  expect(letterOf(key('k'), true)).toBeNull()
  expect(letterOf(key('j', { isComposing: true }), false)).toBeNull()
  expect(letterOf(key('a'), false)).toBeNull()
})
