import { expect, it } from 'vitest'
import { differences } from './differences'

const told = (before: string, after: string): string =>
  differences(before, after)
    .map(({ kind, text }) => ({ same: text, out: `-${text}-`, in: `+${text}+` })[kind])
    .join('')

it.each([
  ['停水提前二十四小时公布', '停水提前四十八小时公布', '停水提前-二十-四+十八+小时公布'],
  ['', '新写', '+新写+'],
  ['删去', '', '-删去-'],
  ['一样', '一样', '一样'],
  ['', '', ''],
])('tells what came out of %s and into %s', (before, after, expected) => {
  expect(told(before, after)).toBe(expected)
})

it('gives both texts back, whatever they are', () => {
  for (const [before, after] of [['停水😀通知', '停电😁通告'], ['甲'.repeat(3000), '乙'.repeat(3000)]] as const) {
    const pieces = differences(before, after)
    const without = (kind: string): string => pieces.filter((piece) => piece.kind !== kind).map((piece) => piece.text).join('')
    expect([without('in'), without('out')]).toEqual([before, after])
  }
})
