// A reply template as its form holds it.
import { OUTCOMES, PARTS } from '../loop/templates'
import type { Use } from '../loop/templates'
import { listed } from './form'

export interface TemplateVersion {
  number: number
  title: string
  outcome: string
  types: string[]
  keywords: string[]
  parts: Record<string, string>
  note: string
  written_by_name: string | null
  written_at: string
}

export interface TemplateRow {
  id: number
  owner_unit_id: number | null
  unit_name: string
  use: Use
  state: 'active' | 'retired'
  version: number
  title: string
  outcome: string
  types: string[]
  keywords: string[]
  written_by_name: string | null
  written_at: string
}

export interface Template extends TemplateRow {
  acts: ('edit' | 'retire' | 'restore')[]
  reason: string
  changed_by_name: string | null
  changed_at: string
  versions: TemplateVersion[]
}

/** What a text would say of the sample case, and what is wrong with it. */
export interface Tried {
  parts: Record<string, string>
  faults: { part: string; line: number; zh: string; en: string }[]
}

export interface Placeholder {
  name: string
  en: string
  sample: string
}

export interface Values {
  title: string
  use: Use
  outcome: string
  types: string[]
  keywords: string
  parts: Record<string, string>
  note: string
  unit_id: number | null
  unit_name: string
}

const EMPTY = { result: '', measures: '', next_step: '', answer: '', note: '' }
export const blank = (): Values => ({ title: '', use: 'reply', outcome: 'solved', types: [], keywords: '', parts: { ...EMPTY }, note: '', unit_id: null, unit_name: '' })

/** A stored template in the form; what was changed is to be said anew. */
export function written(from: Template): Values {
  const { title, use, outcome, owner_unit_id: unit_id, unit_name } = from
  const current = from.versions[0]!
  return { title, use, outcome, types: [...current.types], keywords: current.keywords.join(' '), parts: { ...EMPTY, ...current.parts }, note: '', unit_id, unit_name }
}

/** The texts that count for what the template is used for. */
export const partsOf = (values: Pick<Values, 'use' | 'parts'>): Record<string, string> => Object.fromEntries(Object.keys(PARTS[values.use]).map((name) => [name, values.parts[name] ?? '']))

export function toSend(values: Values): Record<string, unknown> {
  const { title, use, types, note, unit_id } = values
  // Another use has other outcomes.
  const outcome = OUTCOMES[use].includes(values.outcome) ? values.outcome : OUTCOMES[use][0]
  return { title, use, outcome, types, keywords: listed(values.keywords), parts: partsOf(values), note, unit_id }
}

/** A text with a placeholder where the cursor was, and where the cursor is then. */
export function withPlaceholder(text: string, at: number, name: string): { text: string; at: number } {
  const put = `{${name}}`
  const place = Math.max(0, Math.min(at, text.length))
  return { text: text.slice(0, place) + put + text.slice(place), at: place + put.length }
}
