// Pure: reply templates as they are offered for a case, and what their words do to the fields of a form.

export const USES = ['reply', 'answer', 'follow_up'] as const
export type Use = (typeof USES)[number]
export const OUTCOMES: Record<Use, readonly string[]> = {
  reply: ['solved', 'explained', 'refused', 'longer', 'co_unit', 'again'],
  answer: ['explained', 'guided', 'refused'],
  follow_up: ['content', 'discontent', 'not_reached'],
}
/** The fields that a template fills, and their longest texts there. */
export const PARTS: Record<Use, Record<string, number>> = {
  reply: { result: 3000, measures: 3000, next_step: 1000 },
  answer: { answer: 3000 },
  follow_up: { note: 1000 },
}

/** A template filled for a case (app/reply_templates/routes.py). */
export interface Offer {
  id: number
  version: number
  source: string
  title: string
  outcome: string
  unit_name: string
  fits: boolean
  /** Words of the case that speak for it. */
  words: string[]
  parts: Record<string, string>
}

/** Where words came from, as it is told. */
export interface Named {
  id: number
  version: number
  title: string
  unit_name: string
}

const MOST_SOURCES = 4

/** Templates with their versions in "template:12@3 template:7@1". */
export function sourcesIn(text: string | undefined): { id: number; version: number }[] {
  return [...(text ?? '').matchAll(/\btemplate:(\d{1,9})@(\d{1,6})\b/g)].map((found) => ({ id: Number(found[1]), version: Number(found[2]) }))
}

/** The line with one source more; an earlier version of the same template makes room for it. */
function withSource(line: string, offer: Pick<Offer, 'id' | 'source'>): string {
  const others = sourcesIn(line).filter((one) => one.id !== offer.id)
  return [...others.map((one) => `template:${one.id}@${one.version}`), offer.source].slice(-MOST_SOURCES).join(' ')
}

export interface Put {
  /** The fields that change, with their new texts. */
  fields: Record<string, string>
  /** The first field for which there is no room; then nothing changes. */
  full: string
}

/** What the words of a template do to a form: each behind what its field says already, nothing twice, nothing cut. */
export function put(fields: Record<string, string>, offer: Offer, most: Record<string, number>, source = 'template_source'): Put {
  const changed: Record<string, string> = {}
  for (const [name, text] of Object.entries(offer.parts)) {
    const before = (fields[name] ?? '').trim()
    if (!text || before.includes(text)) continue
    const after = before ? `${before}\n${text}` : text
    if ([...after].length > (most[name] ?? Infinity)) return { fields: {}, full: name }
    changed[name] = after
  }
  if (source) changed[source] = withSource(fields[source] ?? '', offer)
  return { fields: changed, full: '' }
}

/** What takes a template's words out again: of the fields that still stand as they were put, what they said before. */
export function undone(now: Record<string, string>, before: Record<string, string>, done: Put): Record<string, string> {
  return Object.fromEntries(Object.entries(done.fields).flatMap(([name, text]) => (now[name] === text ? [[name, before[name] ?? '']] : [])))
}

/** The offers whose name, outcome or words hold what is typed; those that fit come first as they are. */
export function sought(offers: readonly Offer[], typed: string, outcome: (of: Offer) => string): Offer[] {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return [...offers]
  return offers.filter((one) => {
    const text = [one.title, outcome(one), one.unit_name, ...Object.values(one.parts)].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** What was put on this page, so that it can be told by its name. */
const known = new Map<string, Named>()
export const remember = (offer: Offer): void => void known.set(`${offer.id}@${offer.version}`, { id: offer.id, version: offer.version, title: offer.title, unit_name: offer.unit_name })

/** The sources of a line by their names, as far as these are known from the server or from this page. */
export function named(line: string | undefined, told: readonly Named[] = []): Named[] {
  return sourcesIn(line).map(({ id, version }) => told.find((one) => one.id === id && one.version === version) ?? known.get(`${id}@${version}`) ?? { id, version, title: '', unit_name: '' })
}
