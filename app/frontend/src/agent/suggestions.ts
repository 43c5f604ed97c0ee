// Pure: what was heard of a talk or a message, and where on the card a person may take it over. Nothing that stands on the card is
// ever replaced: what finds its own field filled becomes a line of the matter, or is not offered.
import type { CaseFields, FieldName } from '../api/types'
import { zh } from '../i18n/zh'

export const KINDS = ['matter', 'type', 'name', 'telephone', 'area', 'address', 'unit', 'moment', 'other_telephone', 'case_number'] as const
export type Kind = (typeof KINDS)[number]

/** As the server tells it: `quote` is what was said, from `start_ms` of the sound at `audio_url` (null: not to be heard yet). */
export interface Suggestion {
  kind: Kind
  value: string
  label: string
  quote: string
  start_ms: number | null
  end_ms: number | null
  confidence: number
  /** voicemail:ID, recording:ID or live:SEGMENT. */
  source: string
  audio_url: string | null
}

type Form = Omit<CaseFields, 'confidential'>
type TextName = Exclude<FieldName, 'confidential'>

/** What taking one over changes, and the line of the matter that it became, if it did. */
export interface Change {
  field: TextName
  before: string
  after: string
  line: string
}

/** Below this it is shown as unsure, and is not taken over together with others. */
export const SURE = 0.6

const OWN: Partial<Record<Kind, TextName>> = { matter: 'content', type: 'type', name: 'caller_name', telephone: 'caller_number', area: 'area', address: 'address', unit: 'proposed_unit' }
/** Of these a value beside the one that stands in the field is worth a line. */
const LINES: readonly Kind[] = ['telephone', 'address', 'moment', 'other_telephone', 'case_number']
const bare = (text: string): string => text.normalize('NFKC').replace(/[\s,，、.。()（）-]/g, '')

/** One and the same for good: what was taken or turned down once is not offered again. A matter grows while it is told. */
export const keyOf = (one: Suggestion): string => (one.kind === 'matter' ? `matter ${one.source}` : `${one.kind} ${one.value}`)

/** "2026-11-23T15:00" as it is written in a matter. */
export const momentText = (value: string): string => value.replace('T', ' ')

const shown = (one: Suggestion): string => (one.kind === 'moment' ? `${momentText(one.value)}（${one.quote}）` : one.value)

/** What taking it over would change; null where it stands there already, or where it would replace something. */
export function changeOf(one: Suggestion, form: Form): Change | null {
  const own = OWN[one.kind]
  if (own && !form[own].trim()) return { field: own, before: form[own], after: one.value, line: '' }
  if (!LINES.includes(one.kind)) return null
  const value = bare(one.kind === 'moment' ? momentText(one.value) : one.value)
  if (bare(form.content).includes(value) || (own && bare(form[own]).includes(value))) return null
  // The case is read by others, in Chinese.
  const line = `${zh[`said.line.${one.kind}` as keyof typeof zh]}：${shown(one)}`
  const before = form.content
  return { field: 'content', before, after: before.trim() ? `${before.trimEnd()}\n${line}` : line, line }
}

/** The field without what was taken over: as it was, or without its line; null where somebody has changed that since. */
export function undone(change: Change, form: Form): string | null {
  const now = form[change.field]
  if (now === change.after) return change.before
  const lines = now.split('\n')
  if (!change.line || !lines.includes(change.line)) return null
  return lines.filter((line) => line !== change.line).join('\n')
}

/** Two lists as one: the same value is told once, from where it can be heard again. */
export function together(one: Suggestion[], other: Suggestion[]): Suggestion[] {
  const found = new Map<string, Suggestion>()
  for (const it of [...one, ...other]) {
    const known = found.get(keyOf(it))
    if (!known || (!known.audio_url && it.audio_url)) found.set(keyOf(it), it)
  }
  return [...found.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}
