// A unit as its form holds it: lists of words as one line, and what is sent.
import type { Unit, UnitPhone } from '../api/types'

export const KINDS = ['centre', 'district', 'bureau', 'zone', 'utility', 'subordinate', 'neighbour'] as const
export const PHONES = ['voice', 'fax', 'duty'] as const
/** The fields of one line, in the order of the form; the words of the first three are parted by 、. */
export const WORDS = ['topics', 'keywords', 'areas'] as const
export const TEXTS = ['address', 'office_hours', 'hours_note'] as const

export interface Written {
  code: string
  name: string
  short_name: string
  kind: Unit['kind']
  parent_id: number | null
  duties: string
  words: Record<(typeof WORDS)[number], string>
  texts: Record<(typeof TEXTS)[number], string>
  phones: UnitPhone[]
}

/** What the form begins with: the unit, or a new one below `parent`. */
export function written(unit: Unit | null, parent: Unit | null): Written {
  const kind = !parent ? 'neighbour' : parent.level === 0 ? 'bureau' : 'subordinate'
  return {
    code: unit?.code ?? '',
    name: unit?.name ?? '',
    short_name: unit?.short_name ?? '',
    kind: unit?.kind ?? kind,
    parent_id: unit ? unit.parent_id : (parent?.id ?? null),
    duties: unit?.duties ?? '',
    words: { topics: unit?.topics.join('、') ?? '', keywords: unit?.keywords.join('、') ?? '', areas: unit?.areas.join('、') ?? '' },
    texts: { address: unit?.address ?? '', office_hours: unit?.office_hours ?? '', hours_note: unit?.hours_note ?? '' },
    phones: unit?.phones.length ? unit.phones.map((phone) => ({ ...phone })) : [{ kind: 'voice', number: '', note: '' }],
  }
}

/** What is sent; the place is sent of a new unit alone, a stored one is moved by a step of its own. */
export function toSend(form: Written, version: number | null): object {
  const split = (line: string): string[] => line.split(/[\s,，、;；]+/).filter(Boolean)
  return {
    code: form.code.trim(),
    name: form.name.trim(),
    short_name: form.short_name.trim(),
    kind: form.kind,
    duties: form.duties,
    topics: split(form.words.topics),
    keywords: split(form.words.keywords),
    areas: split(form.words.areas),
    ...form.texts,
    phones: form.phones.filter((phone) => phone.number.trim()),
    ...(version === null ? { parent_id: form.parent_id } : { version }),
  }
}
