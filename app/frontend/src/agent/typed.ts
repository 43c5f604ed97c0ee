// Pure: what somebody typed or pasted into a field of the card, as the server will keep it: plain text, no control characters,
// nothing that turns a line around, no longer than the field. The server does the same (`app/text.py`), and is right if we differ.
import type { CaseFields, FieldName } from '../api/types'

type TextName = Exclude<FieldName, 'confidential' | 'type'>

/** In characters as people count them: an emoji is one. */
export const LIMITS: Record<TextName, number> = {
  title: 200,
  content: 20_000,
  answer: 20_000,
  answer_source: 120,
  proposed_unit: 32,
  caller_name: 64,
  caller_number: 32,
  area: 64,
  address: 200,
}
const LINES = new Set<FieldName>(['content', 'answer'])
// Control characters, lone surrogates, and the marks that write from right to left.
const HARMFUL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export interface Plain {
  text: string
  /** So many characters were too many. */
  cut: number
}

/** The text of that field without what can't be kept. */
export function plain(name: FieldName, typed: string): Plain {
  const lines = typed.replace(/\r\n?/g, '\n')
  const flat = LINES.has(name) ? lines : lines.replace(/[\n\t]+/g, ' ')
  const text = flat.replace(HARMFUL, '').normalize('NFC')
  const limit = LIMITS[name as TextName] ?? Infinity
  if (text.length <= limit) return { text, cut: 0 }
  const characters = Array.from(text)
  return { text: characters.slice(0, limit).join(''), cut: Math.max(0, characters.length - limit) }
}

export interface Own {
  agent_id: string
  names: string[]
  numbers: string[]
  address: string
}

const digits = (text: string): string => text.normalize('NFKC').replace(/\D/g, '')
const bare = (text: string): string => text.normalize('NFKC').replace(/[\s,，、.。-]/g, '')

/** Which fields of the caller hold what is the agent's own: name, staff number, telephone, the centre's address. */
export function ownIn(form: Pick<CaseFields, 'caller_name' | 'caller_number' | 'address'>, own: Own): ('caller_name' | 'caller_number' | 'address')[] {
  const found: ('caller_name' | 'caller_number' | 'address')[] = []
  const name = bare(form.caller_name)
  if (name && (own.names.some((mine) => bare(mine) === name) || name === own.agent_id)) found.push('caller_name')
  const number = digits(form.caller_number)
  if (number && [own.agent_id, ...own.numbers].some((mine) => digits(mine) === number)) found.push('caller_number')
  if (own.address && bare(form.address) === bare(own.address)) found.push('address')
  return found
}
