// One act on several cases of a board (app/batches/routes.py): which are offered, and which cases are chosen.
import { computed, reactive, ref } from 'vue'
import type { ComputedRef, Ref } from 'vue'
import { api, inOwnWords } from '../api/http'
import { locale } from '../i18n'
import type { BoardName, BoardRow } from './types'

export const MOST_CASES = 100
export type BatchAct = 'dispatched' | 'merged' | 'sent_back' | 'accepted' | 'resumed'

/** The acts that this person may do to several cases of a board, the likeliest first; none while that can't be had. */
export async function offeredOn(which: BoardName): Promise<BatchAct[]> {
  const offered = await api<Partial<Record<BatchAct, string>>>('/batches/offered').catch(() => ({}))
  return (Object.entries(offered) as [BatchAct, string][]).filter(([, board]) => board === which).map(([act]) => act)
}

export interface Why {
  code: string
  zh: string
  en: string
}

/** What would become of one case. */
export interface TrialRow {
  case_id: number
  number: string | null
  state: string | null
  due_at: string | null
  why: Why | null
}

export interface BatchRow {
  case_id: number
  number: string | null
  outcome: 'waiting' | 'done' | 'refused'
  why: Why | null
  undone: '' | 'done' | 'refused'
  undone_why: Why | null
}

export interface Batch {
  id: number
  act: BatchAct
  at: string
  undone_at: string | null
  undo_until: string | null
  rows: BatchRow[]
}

export const whyText = (why: Why | null): string => inOwnWords(why?.[locale.value] ?? '')

/** A name for this one order, so that sending it twice is sending it once. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface Picks {
  /** How many may be chosen no more: told once somebody tries. */
  full: Ref<boolean>
  chosen: ComputedRef<BoardRow[]>
  has(id: number): boolean
  toggle(id: number): void
  /** Everything from the one that was chosen last to this one. */
  range(id: number): void
  all(): void
  clear(): void
}

/** What is chosen of a list whose rows come and go: as it was seen last, also on another page of it. */
export function usePicks(rows: () => BoardRow[]): Picks {
  const kept = reactive(new Map<number, BoardRow>())
  const full = ref(false)
  let anchor: number | null = null
  const shown = (id: number): BoardRow | undefined => rows().find((row) => row.id === id)

  function add(id: number): void {
    const row = shown(id)
    if (!row || kept.has(id)) return
    full.value = kept.size >= MOST_CASES
    if (!full.value) kept.set(id, row)
  }

  return {
    full,
    chosen: computed(() => [...kept.values()].map((row) => shown(row.id) ?? row).sort((a, b) => a.id - b.id)),
    has: (id) => kept.has(id),
    toggle(id) {
      full.value = false
      if (!kept.delete(id)) add(id)
      anchor = id
    },
    range(id) {
      const ids = rows().map((row) => row.id)
      const [from, to] = [ids.indexOf(anchor ?? id), ids.indexOf(id)]
      full.value = false
      for (const one of ids.slice(Math.max(0, Math.min(from, to)), Math.max(from, to) + 1)) add(one)
      anchor ??= id
    },
    all() {
      full.value = false
      for (const row of rows()) add(row.id)
    },
    clear() {
      kept.clear()
      full.value = false
      anchor = null
    },
  }
}
