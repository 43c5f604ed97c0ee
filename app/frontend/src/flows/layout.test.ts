import { expect, it } from 'vitest'
import { fitting, layOut, nextTo, SIZE, steps } from './layout'
import type { FlowNode, Outline } from './types'

const node = (id: string, exits: Record<string, string> = {}): FlowNode => ({ id, line: 1, kind: 'menu', say: [], body: {}, exits: Object.entries(exits).map(([why, to]) => ({ why, to })) })
const menu: Outline = {
  frame: { start: 'hello', person: 'person' },
  nodes: [
    node('hello', { 'key 1': 'main', 'key 0': 'person', silence: 'person' }),
    node('main', { 'key 1': 'case', 'key 2': 'topics', 'key 0': 'person', silence: 'person', 'key 8': 'hello', 'key 9': 'nowhere' }),
    node('case', { 'key 0': 'person' }),
    node('topics', { 'key 0': 'person', 'key 3': 'topics' }),
    node('person'),
    node('lonely', { 'key 1': 'other' }),
    node('other', { 'key 1': 'main' }),
  ],
}

it('draws each node once, behind the one from which the fewest steps lead to it', () => {
  const { spots, lines } = layOut(menu)
  expect(spots.map((one) => [one.id, one.parent])).toEqual([['hello', ''], ['main', 'hello'], ['case', 'main'], ['topics', 'main'], ['person', 'hello'], ['lonely', ''], ['other', 'lonely']])
  expect(lines.map((one) => [`${one.from}>${one.to}`, one.whys])).toContainEqual(['hello>person', ['key 0', 'silence']])
  expect(lines).toHaveLength(5)
  const main = spots.find((one) => one.id === 'main')!
  expect(main.chips).toEqual([{ to: 'person', whys: ['key 0', 'silence'], broken: false }, { to: 'hello', whys: ['key 8'], broken: false }, { to: 'nowhere', whys: ['key 9'], broken: true }])
  expect(spots.filter((one) => one.apart).map((one) => one.id)).toEqual(['lonely', 'other'])
})

it.each([1, 1.5])('lets no two nodes overlap, nor leave the picture (print %s)', (scale) => {
  const many: Outline = { frame: { start: 'n0', person: 'n1' }, nodes: [] }
  let seed = 7
  const chance = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
  for (let at = 0; at < 90; at += 1) many.nodes.push(node(`n${at}`, Object.fromEntries(Array.from({ length: chance(6) }, (_, key) => [`key ${key}`, `n${chance(95)}`]))))
  const { spots, width, height, lines } = layOut(many, scale)
  expect(spots).toHaveLength(90)
  for (const one of spots) {
    expect([one.x + one.w <= width, one.y + one.h <= height]).toEqual([true, true])
    for (const other of spots) if (other !== one && other.x === one.x) expect(other.y >= one.y + one.h || other.y + other.h <= one.y).toBe(true)
  }
  expect(lines).toHaveLength(spots.filter((one) => one.parent).length)
  expect(layOut(many, scale)).toEqual(layOut(many, scale))
})

it('goes by arrow keys to where a node comes from and leads, and along its column', () => {
  const picture = layOut(menu)
  expect(['ArrowLeft', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'Home', 'End', 'x'].map((key) => nextTo(picture, 'main', key))).toEqual(['hello', 'case', 'person', 'main', 'hello', 'other', 'main'])
  expect(nextTo(picture, 'gone', 'ArrowRight')).toBe('main')
  expect(nextTo(layOut({ frame: {}, nodes: [] }), 'x', 'Home')).toBe('')
})

it('has a place for a document that is no menu yet', () => {
  expect(layOut({ frame: { start: 7 }, nodes: [node('a', { next: 'a' })] })).toMatchObject({ lines: [], width: 2 * SIZE.edge + SIZE.width, spots: [{ id: 'a', chips: [{ to: 'a' }], apart: true }] })
})

it('cuts texts to their room, and a way into its steps', () => {
  expect([fitting('main_menu', 9), fitting('main_menu_two', 9), fitting('上班下班', 8), fitting('上班下班时', 8)]).toEqual(['main_menu', 'main_men…', '上班下班', '上班下…'])
  expect([...steps(['a', 'b', 'c'])]).toEqual(['a>b', 'b>c'])
})
