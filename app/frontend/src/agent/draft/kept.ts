// Text that the server has not acknowledged, kept on this computer; taken away as soon as it has.
import type { CaseFields } from '../../api/types'
import type { DraftState, Sent } from './core'

export interface Kept<F = CaseFields> {
  case_id: number
  case_number: string
  version: number
  base: F
  mine: Partial<F>
  sent: Sent<F>
  at: number
}

export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

const PREFIX = 'hotline.draft.'

export function keep<F extends object>(shelf: Shelf, owner: string, state: DraftState<F>, at: number): void {
  if (state.case_id === null) return
  const mine = { ...state.inFlight, ...state.mine }
  const key = `${PREFIX}${owner}.${state.case_id}`
  try {
    if (!Object.keys(mine).length) return shelf.removeItem(key)
    const kept: Kept<F> = { case_id: state.case_id, case_number: state.case_number, version: state.version, base: state.base, mine, sent: state.sent, at }
    shelf.setItem(key, JSON.stringify(kept))
  } catch {
    // A full or forbidden store: the server's copy, at most a second old, is then the only one.
  }
}

/** What is kept of this person's cases, oldest first. Unreadable entries are taken away. */
export function found<F = CaseFields>(shelf: Shelf, owner: string): Kept<F>[] {
  const mine = `${PREFIX}${owner}.`
  const all: Kept<F>[] = []
  try {
    const keys = Array.from({ length: shelf.length }, (_, at) => shelf.key(at)).filter((key): key is string => !!key?.startsWith(mine))
    for (const key of keys) {
      try {
        const kept = JSON.parse(shelf.getItem(key) ?? '') as Kept<F>
        if (typeof kept.case_id === 'number' && kept.mine && kept.base) all.push(kept)
        else shelf.removeItem(key)
      } catch {
        shelf.removeItem(key)
      }
    }
  } catch {
    return []
  }
  return all.sort((a, b) => a.at - b.at)
}

/** Takes away what is kept of that case under the other owners for whom `theirs` holds. */
export function forgetOthers(shelf: Shelf, owner: string, case_id: number, theirs: (other: string) => boolean): void {
  const end = `.${case_id}`
  try {
    const keys = Array.from({ length: shelf.length }, (_, at) => shelf.key(at)).filter((key): key is string => !!key?.startsWith(PREFIX) && key.endsWith(end))
    for (const key of keys) {
      const other = key.slice(PREFIX.length, -end.length)
      if (other !== owner && theirs(other)) shelf.removeItem(key)
    }
  } catch {
    // A forbidden store keeps nothing.
  }
}

/** The state as it was when its text was kept. */
export function revived<F>(state: DraftState<F>, kept: Kept<F>): DraftState<F> {
  return { ...state, version: kept.version, base: kept.base, mine: kept.mine, sent: kept.sent ?? {} }
}
