// The network as a list of lines that a keyboard walks: what is seen, and where each key leads (WAI-ARIA, tree view).
import type { UnitRow } from '../api/types'

export interface Line {
  unit: UnitRow
  /** From 1, as aria-level counts. */
  depth: number
  /** null: nothing is below it. */
  open: boolean | null
}

/** The lines that are seen when the units in `open` show what is below them. Units without a parent among `units` stand at the top. */
export function lines(units: UnitRow[], open: ReadonlySet<number>): Line[] {
  const known = new Set(units.map((unit) => unit.id))
  const below = new Map<number, UnitRow[]>()
  for (const unit of units) {
    const parent = unit.parent_id !== null && known.has(unit.parent_id) ? unit.parent_id : 0
    below.set(parent, [...(below.get(parent) ?? []), unit])
  }
  const walk = (parent: number, depth: number): Line[] =>
    (below.get(parent) ?? []).flatMap((unit) => {
      const isOpen = below.has(unit.id) ? open.has(unit.id) : null
      return [{ unit, depth, open: isOpen }, ...(isOpen ? walk(unit.id, depth + 1) : [])]
    })
  return walk(0, 1)
}

/** What a key does at the line `at`: go to another unit, open or close this one; null when the tree has no use for it. */
export function step(shown: Line[], at: number, key: string): { go?: number; open?: number; close?: number } | null {
  const line = shown[at]
  if (!line) return null
  const to = (index: number): { go?: number } => (shown[index] ? { go: shown[index].unit.id } : {})
  switch (key) {
    case 'ArrowDown':
      return to(at + 1)
    case 'ArrowUp':
      return to(at - 1)
    case 'Home':
      return to(0)
    case 'End':
      return to(shown.length - 1)
    case 'ArrowRight':
      return line.open === false ? { open: line.unit.id } : line.open ? to(at + 1) : {}
    case 'ArrowLeft':
      return line.open ? { close: line.unit.id } : to(shown.slice(0, at).reduce((last, one, index) => (one.depth < line.depth ? index : last), -1))
    default:
      return null
  }
}

/** The units above one, from the nearest to the top. */
export function above(units: UnitRow[], id: number): number[] {
  const by = new Map(units.map((unit) => [unit.id, unit]))
  const found: number[] = []
  for (let at = by.get(id)?.parent_id; at && !found.includes(at); at = by.get(at)?.parent_id) found.push(at)
  return found
}
