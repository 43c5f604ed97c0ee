// What may be done to an assignment: which of several acts comes first, and why it stands where it stands.
import type { Act, Line } from './types'

/** What somebody most likely came for, first; to give back or take away is never pressed upon anybody. */
export const FIRST: readonly Act[] = ['signed', 'replied', 'return_upheld', 'accepted', 'started', 'submitted']

/** The acts in the order of their buttons: the likeliest first, the others as the table has them. */
export function ordered(acts: readonly Act[]): Act[] {
  const first = FIRST.find((act) => acts.includes(act))
  return first ? [first, ...acts.filter((act) => act !== first)] : [...acts]
}

/** Which line of the history explains why it stands where it stands, by the state. */
const EXPLAINS: Record<string, string[]> = {
  dispatched: ['unit.return_refused'],
  in_progress: ['unit.reworked', 'unit.submitted', 'unit.redo'],
  in_review: ['unit.submitted'],
  redo: ['unit.redo'],
  returned: ['unit.returned'],
  withdrawn: ['unit.withdrawn', 'unit.return_upheld'],
}

/** The lines of one assignment. */
export const linesOf = (lines: readonly Line[], id: number): Line[] => lines.filter((line) => line.event.startsWith('unit.') && line.detail?.assignment === id)

/** The words with which it was last sent here, if there were any. */
export function lastWords(lines: readonly Line[], id: number, state: string): Line | null {
  const found = linesOf(lines, id).filter((line) => EXPLAINS[state]?.includes(line.event))
  const last = found[found.length - 1]
  return last?.detail?.reason ? last : null
}
