// Text that the server has not acknowledged, kept on this computer; taken away as soon as it has. Every page (tab) keeps its own:
// one that has sent everything must not take away what another one has not.
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

/** What was found, and under which key. */
export interface Found<F = CaseFields> extends Kept<F> {
  key: string
}

export type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

const PREFIX = 'hotline.draft.'
const KEY = /^(.+)\.(\d+)(?:~\w+)?$/
/** This page, as long as it lives. */
export const TAB = Math.random().toString(36).slice(2, 10)

export function keep<F extends object>(shelf: Shelf, owner: string, state: DraftState<F>, at: number, tab = TAB): void {
  if (state.case_id === null) return
  const mine = { ...state.inFlight, ...state.mine }
  const key = `${PREFIX}${owner}.${state.case_id}~${tab}`
  try {
    if (!Object.keys(mine).length) return shelf.removeItem(key)
    const kept: Kept<F> = { case_id: state.case_id, case_number: state.case_number, version: state.version, base: state.base, mine, sent: state.sent, at }
    shelf.setItem(key, JSON.stringify(kept))
  } catch {
    // A full or forbidden store: the server's copy, at most a second old, is then the only one.
  }
}

/** What is kept of this person's cases, oldest first. Unreadable entries are taken away. */
export function found<F = CaseFields>(shelf: Shelf, owner: string): Found<F>[] {
  const mine = `${PREFIX}${owner}.`
  const all: Found<F>[] = []
  try {
    const keys = Array.from({ length: shelf.length }, (_, at) => shelf.key(at)).filter((key): key is string => !!key?.startsWith(mine))
    for (const key of keys) {
      try {
        const kept = JSON.parse(shelf.getItem(key) ?? '') as Kept<F>
        if (typeof kept.case_id === 'number' && kept.mine && kept.base) all.push({ ...kept, key })
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
  try {
    const keys = Array.from({ length: shelf.length }, (_, at) => shelf.key(at)).filter((key): key is string => !!key?.startsWith(PREFIX))
    for (const key of keys) {
      const [, other, of] = KEY.exec(key.slice(PREFIX.length)) ?? []
      if (other !== undefined && Number(of) === case_id && other !== owner && theirs(other)) shelf.removeItem(key)
    }
  } catch {
    // A forbidden store keeps nothing.
  }
}

/** The state as it was when its text was kept, by one page or by several: of a field that two have written the later stays. */
export function revived<F>(state: DraftState<F>, kept: Kept<F>[]): DraftState<F> {
  const [oldest] = [...kept].sort((a, b) => a.version - b.version)
  if (!oldest) return state
  const sent: Record<string, unknown[]> = {}
  for (const one of kept) for (const [name, values] of Object.entries(one.sent ?? {})) sent[name] = [...(sent[name] ?? []), ...(values as unknown[])]
  return { ...state, version: oldest.version, base: oldest.base, mine: Object.assign({}, ...kept.map((one) => one.mine)) as Partial<F>, sent: sent as Sent<F> }
}

/** Takes away what another page kept, once it is kept here. */
export function takenOver(shelf: Shelf, kept: Found<unknown>[], ours: (key: string) => boolean): void {
  try {
    for (const one of kept) if (!ours(one.key)) shelf.removeItem(one.key)
  } catch {
    // A forbidden store keeps nothing.
  }
}
