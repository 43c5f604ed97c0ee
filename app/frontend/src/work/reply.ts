// Pure: a unit's reply as its form holds it. Every answer is a field of its own ("answers.7", "papers.voicemail:3"), so that
// two people who write different answers do not quarrel; what is sent is put together again.
import type { Reply, Work } from './types'

export type ReplyFields = Record<string, string>

const TEXTS = ['result', 'measures', 'next_step', 'letter', 'contact', 'contacted_at', 'opinion', 'opinion_why', 'signed_name', 'template_source'] as const
const GROUPS = ['answers', 'papers'] as const
export const CONTACTS = ['phone', 'visit', 'letter', 'none'] as const

/** Every field that a reply to this has, empty. */
export function blank(work: Pick<Work, 'items' | 'papers'>): ReplyFields {
  const names = [...TEXTS, ...work.items.map((item) => `answers.${item.id}`), ...work.papers.map((paper) => `papers.${paper.id}`)]
  return Object.fromEntries(names.map((name) => [name, '']))
}

/** A stored reply as fields. */
export function fieldsOf(reply: Reply | null): ReplyFields {
  if (!reply) return {}
  const found: ReplyFields = Object.fromEntries(TEXTS.map((name) => [name, reply[name] ?? '']))
  for (const group of GROUPS) for (const [id, text] of Object.entries(reply[group])) found[`${group}.${id}`] = text
  return found
}

/** What is sent of the fields that changed; answers go together, for the server keeps them together. */
export function toSend(changed: Partial<ReplyFields>, all: ReplyFields): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const name of Object.keys(changed)) {
    const group = GROUPS.find((one) => name.startsWith(`${one}.`))
    if (group) body[group] = groupOf(group, all)
    else body[name] = all[name] || (NULLED.has(name) ? null : '')
  }
  return body
}

const NULLED = new Set<string>(['contact', 'contacted_at', 'opinion'])

function groupOf(group: string, all: ReplyFields): ReplyFields {
  const mine = Object.entries(all).filter(([name, text]) => name.startsWith(`${group}.`) && text)
  return Object.fromEntries(mine.map(([name, text]) => [name.slice(group.length + 1), text]))
}

/** The reply of the round that is being worked on; null before anything is written. */
export const present = (work: Pick<Work, 'round' | 'replies'>): Reply | null => work.replies.find((reply) => reply.round === work.round) ?? null

/** The replies of the rounds before, the last first. */
export const earlier = (work: Pick<Work, 'round' | 'replies'>): Reply[] => work.replies.filter((reply) => reply.round < work.round).reverse()

/** What a new round may begin with: everything that the citizen did not say about the old one. */
export function carriedOver(old: Reply, fields: ReplyFields): ReplyFields {
  const kept = new Set(['result', 'measures', 'next_step', 'letter', 'signed_name', 'template_source'])
  const told = fieldsOf(old)
  return Object.fromEntries(Object.keys(fields).flatMap((name) => (told[name] && (kept.has(name) || name.includes('.')) ? [[name, told[name]]] : [])))
}
