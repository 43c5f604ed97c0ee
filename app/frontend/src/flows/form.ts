// A node as its form holds it, and back. Pure: the server checks all of it again. Fields that the form does not know stay.
import type { Body, Kind } from './types'

export type Pair = { key: string; value: string }
/** How a field is written: one node, one prompt, prompts in their order, keys and outcomes with their nodes, … */
export type Look = 'text' | 'about' | 'prompts' | 'prompt' | 'target' | 'keys' | 'outcomes' | 'subject' | 'span' | 'seconds' | 'whole' | 'fact' | 'language' | 'flag' | 'pairs' | 'levels' | 'end'

export interface FieldOf {
  name: string
  look: Look
  must?: boolean
}

const field = (name: string, look: Look, must = false): FieldOf => ({ name, look, must })
const ASKED = [field('silence', 'target', true), field('exhausted', 'target'), field('timeout_s', 'seconds')]

/** ivr/flows/schema.json, in the order in which people fill it in. */
export const FIELDS: Record<Kind, FieldOf[]> = {
  menu: [field('say', 'prompts', true), field('keys', 'keys', true), field('languages', 'target'), ...ASKED, field('into', 'text')],
  number: [field('say', 'prompts', true), field('into', 'text', true), field('digits', 'span', true), field('next', 'target', true), field('star', 'target'), field('wrong', 'prompt'), ...ASKED],
  branch: [field('on', 'fact', true), field('yes', 'target', true), field('no', 'target', true)],
  set: [field('language', 'language'), field('priority', 'whole'), field('queue', 'text'), field('skills', 'levels'), field('warn', 'flag'), field('remember', 'pairs'), field('next', 'target', true)],
  lookup: [field('of', 'subject', true), field('say', 'prompts'), field('outcomes', 'outcomes', true), field('otherwise', 'target', true)],
  end: [field('say', 'prompts'), field('next', 'end', true), field('transfer_to', 'text'), field('transfer_from', 'text')],
}
export const ENDS = ['queue', 'voicemail', 'transfer', 'callback', 'goodbye'] as const
export const FACTS = ['open', 'elderly'] as const

export interface Draft {
  kind: Kind
  about: string
  texts: Record<string, string>
  lists: Record<string, string[]>
  pairs: Record<string, Pair[]>
  flags: Record<string, boolean>
}

const PAIRED: readonly Look[] = ['keys', 'outcomes', 'pairs', 'levels']
const known = (kind: Kind): Set<string> => new Set(['kind', 'about', ...FIELDS[kind].map((one) => one.name)])
const text = (value: unknown): string => (value === undefined || value === null || typeof value === 'object' ? '' : String(value))
const isMap = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value)

/** As the form begins. `outcomes`: what a lookup may answer, so that each has a line. */
export function draftOf(kind: Kind, body: Body, outcomes: readonly string[] = []): Draft {
  const draft: Draft = { kind, about: text(body.about), texts: {}, lists: {}, pairs: {}, flags: {} }
  for (const { name, look } of FIELDS[kind]) {
    const value = body[name]
    if (look === 'prompts') draft.lists[name] = Array.isArray(value) ? value.map(text) : []
    else if (look === 'span') draft.lists[name] = Array.isArray(value) ? value.slice(0, 2).map(text) : ['', '']
    else if (look === 'flag') draft.flags[name] = value === true
    else if (PAIRED.includes(look)) draft.pairs[name] = isMap(value) ? Object.entries(value).map(([key, to]) => ({ key, value: text(to) })) : []
    else draft.texts[name] = text(value)
  }
  if (kind === 'lookup') draft.pairs.outcomes = withAll(draft.pairs.outcomes!, outcomes)
  return draft
}

/** A line for each outcome that there may be, those that are given first in their order. */
export function withAll(given: readonly Pair[], outcomes: readonly string[]): Pair[] {
  return [...given.filter((one) => one.value || outcomes.includes(one.key)), ...outcomes.filter((one) => !given.some(({ key }) => key === one)).map((key) => ({ key, value: '' }))]
}

/** A number as somebody typed it, also in wide digits; the text itself where it is none, for the server to refuse by its line. */
function number(typed: string): number | string {
  const plain = typed.normalize('NFKC').trim()
  return plain && Number.isFinite(Number(plain)) ? Number(plain) : plain
}

/** What goes into the file. What is empty is left out; `before` gives the fields that the form does not know. */
export function bodyOf(draft: Draft, before: Body): Body {
  const kept = before.kind === draft.kind ? Object.entries(before).filter(([name]) => !known(draft.kind).has(name)) : []
  const body: Body = {}
  if (draft.about.trim()) body.about = draft.about.trim()
  body.kind = draft.kind
  for (const { name, look, must } of FIELDS[draft.kind]) {
    const typed = draft.texts[name]?.trim() ?? ''
    if (look === 'prompts') {
      const said = draft.lists[name]!.map((one) => one.trim()).filter(Boolean)
      if (said.length || must) body[name] = said
    } else if (look === 'span') body[name] = draft.lists[name]!.map(number)
    else if (look === 'flag') {
      if (draft.flags[name]) body[name] = true
    } else if (PAIRED.includes(look)) {
      const pairs = draft.pairs[name]!.filter((one) => one.key.trim() && (one.value.trim() || look === 'pairs'))
      if (pairs.length || must) body[name] = Object.fromEntries(pairs.map((one) => [one.key.normalize('NFKC').trim(), look === 'levels' ? number(one.value) : one.value.trim()]))
    } else if (typed || must) body[name] = look === 'seconds' || look === 'whole' ? number(typed) : typed
  }
  return { ...body, ...Object.fromEntries(kept) }
}

/** What is missing, by the field's name; the rest is found by the server, with its line. */
export function missing(draft: Draft): string[] {
  return FIELDS[draft.kind].filter(({ name, look, must }) => {
    if (!must) return false
    if (look === 'prompts') return !draft.lists[name]!.some((one) => one.trim())
    if (look === 'span') return draft.lists[name]!.some((one) => !one.trim())
    if (look === 'outcomes') return false
    if (PAIRED.includes(look)) return !draft.pairs[name]!.some((one) => one.key.trim() && one.value.trim())
    return !draft.texts[name]?.trim()
  }).map((one) => one.name)
}

export const NAME = /^[a-z][a-z0-9_]{0,39}$/
