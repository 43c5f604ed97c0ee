// Cases that may be the matter that is being typed: asked for once the fingers rest, the last answer only is shown.
// What is typed tells of a person: it travels in a body, and nothing of it is kept.
import type { ShallowRef } from 'vue'
import type { CaseFields } from '../api/types'
import { useAsking } from './asking'

/** Longer than a pause between two words: nobody reads a list while typing. */
const REST_MS = 600
/** Less says nothing yet, unless there is a number to ask about. */
const LEAST = 3

export interface Candidate {
  id: number
  number: string
  state: string
  title: string
  created_at: string
  repeats: number
  reasons: { why: string; zh: string; en: string; likeness: number }[]
}

export interface Asked {
  number: string
  title: string
  content: string
  address: string
  case_id: number | null
}

export interface Similar {
  found: ShallowRef<Candidate[]>
  /** The look-up failed; what is shown is of earlier words. */
  failed: ShallowRef<boolean>
  typed(form: CaseFields, caseId: number | null): void
  stop(): void
}

/** What is asked for a form; null while there is nothing to ask about. */
export function askedFor(form: CaseFields, caseId: number | null): Asked | null {
  const { title, content, address, caller_number: number } = form
  if (!number.trim() && (title + content + address).trim().length < LEAST) return null
  return { number: number.slice(0, 40), title, content, address, case_id: caseId }
}

export function useSimilar(ask: (body: Asked, signal: AbortSignal) => Promise<Candidate[]>): Similar {
  const { answer, failed, typed, stop } = useAsking<Asked, Candidate[]>(REST_MS, [], ask)
  return { found: answer, failed, typed: (form, caseId) => typed(askedFor(form, caseId)), stop }
}
