// Pure: what of an answer was taken from the knowledge base. `answer_source` names articles with the versions that were read out:
// "knowledge:12@3 knowledge:7@1" (app/cases/model.py).
import type { CaseFields } from '../api/types'

export interface Source {
  article: number
  version: number
}

type Answer = Pick<CaseFields, 'answer' | 'answer_source'>

const MOST = 5
const ONE = /^knowledge:(\d{1,9})@(\d{1,6})$/

export function sourcesOf(text: string | undefined): Source[] {
  return (text ?? '').split(' ').flatMap((one) => {
    const found = ONE.exec(one)
    return found ? [{ article: Number(found[1]), version: Number(found[2]) }] : []
  })
}

const written = (sources: Source[]): string => sources.map((one) => `knowledge:${one.article}@${one.version}`).join(' ')

/** The answer with the words of an article behind what stands there, its source kept; unchanged where they are there already. */
export function taken(form: Answer, source: Source, words: string): Answer {
  const others = sourcesOf(form.answer_source).filter((one) => one.article !== source.article)
  const before = form.answer.trim()
  return {
    answer: before.includes(words) ? form.answer : before ? `${before}\n${words}` : words,
    answer_source: written([...others, source].slice(-MOST)),
  }
}

/** The answer without that source, and without its words where they stand as they were taken. */
export function given(form: Answer, source: Source, words = ''): Answer {
  const sources = sourcesOf(form.answer_source).filter((one) => one.article !== source.article)
  const answer = words && form.answer.includes(words) ? form.answer.replace(words, '').replace(/\n{2,}/g, '\n').trim() : form.answer
  return { answer, answer_source: written(sources) }
}

/** What was taken over on this page, so that it can be told by its title and given back. */
const known = new Map<string, { title: string; words: string }>()
export const remember = (source: Source, what: { title: string; words: string }): void => void known.set(`${source.article}@${source.version}`, what)
export const remembered = (source: Source): { title: string; words: string } | null => known.get(`${source.article}@${source.version}`) ?? null
