// Pure: what of an answer was taken from the knowledge base or a template. `answer_source` names articles with the versions that
// were read out, and templates with theirs: "knowledge:12@3 template:7@1" (app/cases/model.py).
import type { CaseFields } from '../api/types'

export interface Source {
  /** Of an article, or of a template where `kind` says so. */
  article: number
  version: number
  kind?: 'template'
}

type Answer = Pick<CaseFields, 'answer' | 'answer_source'>

const MOST = 5
const ONE = /^(knowledge|template):(\d{1,9})@(\d{1,6})$/

export function sourcesOf(text: string | undefined): Source[] {
  return (text ?? '').split(' ').flatMap((one) => {
    const found = ONE.exec(one)
    if (!found) return []
    const source = { article: Number(found[2]), version: Number(found[3]) }
    return [found[1] === 'template' ? { ...source, kind: 'template' as const } : source]
  })
}

export const sameThing = (one: Source, other: Source): boolean => one.article === other.article && one.kind === other.kind
const written = (sources: Source[]): string => sources.map((one) => `${one.kind ?? 'knowledge'}:${one.article}@${one.version}`).join(' ')

/** The answer with the words of an article behind what stands there, its source kept; unchanged where they are there already. */
export function taken(form: Answer, source: Source, words: string): Answer {
  const others = sourcesOf(form.answer_source).filter((one) => !sameThing(one, source))
  const before = form.answer.trim()
  return {
    answer: before.includes(words) ? form.answer : before ? `${before}\n${words}` : words,
    answer_source: written([...others, source].slice(-MOST)),
  }
}

/** The answer without that source, and without its words where they stand as they were taken. */
export function given(form: Answer, source: Source, words = ''): Answer {
  const sources = sourcesOf(form.answer_source).filter((one) => !sameThing(one, source))
  const answer = words && form.answer.includes(words) ? form.answer.replace(words, '').replace(/\n{2,}/g, '\n').trim() : form.answer
  return { answer, answer_source: written(sources) }
}

/** What was taken over on this page, so that it can be told by its title and given back. */
const known = new Map<string, { title: string; words: string }>()
const key = (source: Source): string => written([source])
export const remember = (source: Source, what: { title: string; words: string }): void => void known.set(key(source), what)
export const remembered = (source: Source): { title: string; words: string } | null => known.get(key(source)) ?? null
