// An article as its form holds it: lists as words in a line.
import type { Content } from './types'

export type Written = Omit<Content, 'keywords' | 'areas' | 'review_on' | 'expires_on'> & Record<'keywords' | 'areas' | 'review_on' | 'expires_on', string>

export const LONGEST = { title: 80, question: 300, phone_answer: 300, letter_answer: 5000 } as const
/** Characters that are read aloud in a second. */
const PACE = 4.5

export function blank(title = ''): Written {
  return { title, question: '', phone_answer: '', letter_answer: '', keywords: '', areas: '', type: 'policy', internal: false, unit_id: null, unit_name: '', review_on: '', expires_on: '' }
}

export function written(from: Content): Written {
  const { title, question, phone_answer, letter_answer, type, internal, unit_id, unit_name } = from
  const own = { title, question, phone_answer, letter_answer, type, internal, unit_id, unit_name }
  return { ...own, keywords: from.keywords.join(' '), areas: from.areas.join(' '), review_on: from.review_on ?? '', expires_on: from.expires_on ?? '' }
}

export const toSend = (form: Written): Content => ({
  ...form,
  keywords: listed(form.keywords),
  areas: listed(form.areas),
  review_on: form.review_on || null,
  expires_on: form.expires_on || null,
})

/** The words of a line, parted by spaces or any comma. */
export const listed = (line: string): string[] => line.split(/[\s,，、;；]+/).filter(Boolean)

/** How long reading it aloud takes, in whole seconds. */
export const readingTime = (text: string): number => Math.ceil([...text.replace(/\s/g, '')].length / PACE)
