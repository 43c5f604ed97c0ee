// Where everything stands in the picture of a menu. Pure: an outline in, places out, the same every time.
//
// A menu is no tree (nearly every question leads to a person), and with all its lines it would be a knot. So each node stands once,
// behind the one from which the fewest steps lead to it; those lines are drawn. Every other way out is a line of text within its node.
import type { Exit, FlowNode, Outline } from './types'

export interface Ways {
  to: string
  whys: string[]
  /** There is no such node. */
  broken: boolean
}

export interface Spot {
  id: string
  node: FlowNode
  x: number
  y: number
  w: number
  h: number
  parent: string
  children: string[]
  /** Ways out that no line is drawn for. */
  chips: Ways[]
  /** No way from the start leads here. */
  apart: boolean
}

export interface Line {
  from: string
  to: string
  whys: string[]
  d: string
  /** Where its words begin, on the left of the node that it leads to. */
  x: number
  y: number
}

export interface Picture {
  width: number
  height: number
  spots: Spot[]
  lines: Line[]
}

/** Lengths for the usual print, in the picture's own units. */
export const SIZE = { width: 196, head: 50, chip: 24, between: 104, gap: 14, edge: 12 }

/** The ways out by where they lead, in their order. */
export function waysOf(exits: readonly Exit[], known: ReadonlySet<string>): Ways[] {
  const found = new Map<string, Ways>()
  for (const { why, to } of exits) {
    const ways = found.get(to) ?? { to, whys: [], broken: !known.has(to) }
    ways.whys.push(why)
    found.set(to, ways)
  }
  return [...found.values()]
}

/** `scale`: as much as the print is larger than usual. */
export function layOut(outline: Outline, scale = 1): Picture {
  const nodes = new Map(outline.nodes.map((node) => [node.id, node]))
  const known = new Set(nodes.keys())
  const ways = new Map(outline.nodes.map((node) => [node.id, waysOf(node.exits, known)]))
  const { parents, roots, apart } = grown(outline, nodes, ways)
  const children = new Map<string, string[]>()
  for (const [id, parent] of parents) if (parent) children.set(parent, [...(children.get(parent) ?? []), id])

  const at = (length: number): number => Math.round(length * scale)
  const spots = new Map<string, Spot>()
  let cursor = at(SIZE.edge)
  let deepest = 0

  function place(id: string, depth: number): void {
    const node = nodes.get(id)!
    const mine = children.get(id) ?? []
    const chips = ways.get(id)!.filter((one) => !mine.includes(one.to))
    const top = cursor
    const h = at(SIZE.head + chips.length * SIZE.chip)
    deepest = Math.max(deepest, depth)
    for (const child of mine) place(child, depth + 1)
    const [first, last] = [spots.get(mine[0] ?? ''), spots.get(mine[mine.length - 1] ?? '')]
    const middle = first && last ? (first.y + last.y + last.h) / 2 - h / 2 : top
    const y = Math.max(top, Math.round(middle))
    cursor = Math.max(cursor, y + h + at(SIZE.gap))
    spots.set(id, { id, node, x: at(SIZE.edge + depth * (SIZE.width + SIZE.between)), y, w: at(SIZE.width), h, parent: parents.get(id) ?? '', children: mine, chips, apart: apart.has(id) })
  }
  for (const root of roots) place(root, 0)

  const ordered = outline.nodes.flatMap((node) => spots.get(node.id) ?? [])
  const lines = ordered.flatMap((spot) => spot.children.map((child) => lineTo(spot, spots.get(child)!, ways.get(spot.id)!, at)))
  return { width: at(2 * SIZE.edge + (deepest + 1) * SIZE.width + deepest * SIZE.between), height: cursor, spots: ordered, lines }
}

/** From whom each node is drawn; a root has "". What nothing leads to is a root of its own. */
function grown(outline: Outline, nodes: ReadonlyMap<string, FlowNode>, ways: ReadonlyMap<string, Ways[]>): { parents: Map<string, string>; roots: string[]; apart: Set<string> } {
  const parents = new Map<string, string>()
  const roots: string[] = []
  const apart = new Set<string>()
  const start = [outline.frame.start, outline.frame.person].filter((one): one is string => typeof one === 'string' && nodes.has(one))
  for (const root of [...start, ...nodes.keys()]) {
    if (parents.has(root)) continue
    parents.set(root, '')
    roots.push(root)
    if (!start.includes(root)) apart.add(root)
    const open = [root]
    for (let id = open.shift(); id !== undefined; id = open.shift()) {
      for (const { to } of ways.get(id)!) {
        if (!nodes.has(to) || parents.has(to)) continue
        parents.set(to, id)
        if (apart.has(root)) apart.add(to)
        open.push(to)
      }
    }
  }
  return { parents, roots, apart }
}

function lineTo(from: Spot, to: Spot, ways: readonly Ways[], at: (length: number) => number): Line {
  const y1 = from.y + at(SIZE.head / 2)
  const y2 = to.y + at(SIZE.head / 2)
  const turn = from.x + from.w + at(18)
  return { from: from.id, to: to.id, whys: ways.find((one) => one.to === to.id)?.whys ?? [], d: `M${from.x + from.w} ${y1}H${turn}V${y2}H${to.x - at(4)}`, x: turn + at(6), y: y2 - at(6) }
}

/** The node that an arrow key leads to: left to where it comes from, right to where it leads, up and down in its column. */
export function nextTo(picture: Picture, id: string, key: string): string {
  const spot = picture.spots.find((one) => one.id === id) ?? picture.spots[0]
  if (!spot) return ''
  if (key === 'ArrowLeft') return spot.parent || spot.id
  if (key === 'ArrowRight') return spot.children[0] ?? spot.id
  const column = picture.spots.filter((one) => one.x === spot.x).sort((a, b) => a.y - b.y)
  const step = { ArrowUp: -1, ArrowDown: 1 }[key] ?? 0
  if (key === 'Home') return picture.spots[0]!.id
  if (key === 'End') return picture.spots[picture.spots.length - 1]!.id
  return column[column.indexOf(spot) + step]?.id ?? spot.id
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/

/** As much of a text as has room: `most` counts letters, a Chinese character as two. */
export function fitting(text: string, most: number): string {
  let room = most
  for (let at = 0; at < text.length; at += 1) {
    room -= WIDE.test(text[at]!) ? 2 : 1
    if (room < 0) return `${text.slice(0, Math.max(0, at - 1))}…`
  }
  return text
}

/** The steps of a way through the picture, as "from>to". */
export const steps = (way: readonly string[]): Set<string> => new Set(way.slice(1).map((to, at) => `${way[at]}>${to}`))
