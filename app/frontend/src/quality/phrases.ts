// What is typed into a new list of phrases. Pure: the server checks all of it again (app/phrases/editing.py).
import type { Phrase } from '../agent/phrases'
import { t } from '../i18n'
import { wholeNumber } from './editions'

export const LANGUAGES = ['zh', 'yue', 'en'] as const
export type Language = (typeof LANGUAGES)[number]
export const KINDS = ['required', 'forbidden', 'advised'] as const
export const PLACES = ['begin', 'end', 'anywhere'] as const

/** Wordings are typed one a line. */
export interface PhraseDraft extends Omit<Phrase, 'variants' | 'unless' | 'seconds'> {
  variants: string
  unless: string
  seconds: string
}

export const blankPhrase = (language: string): PhraseDraft => ({ code: '', kind: 'forbidden', language, zh: '', en: '', variants: '', where: 'anywhere', seconds: '', unless: '', say: '' })

export const draftsOf = (phrases: readonly Phrase[]): PhraseDraft[] =>
  phrases.map((one) => ({ ...one, variants: one.variants.join('\n'), unless: one.unless.join('\n'), seconds: one.seconds ? String(one.seconds) : '' }))

export const linesOf = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean)

/** As it is sent. What a kind does not have goes with the choice of the kind. */
export const toSend = (drafts: readonly PhraseDraft[]): Phrase[] =>
  drafts.map((one) => {
    const where = one.kind === 'required' ? one.where : 'anywhere'
    return {
      ...one,
      where,
      variants: one.kind === 'advised' ? [] : linesOf(one.variants),
      unless: one.kind === 'forbidden' ? linesOf(one.unless) : [],
      seconds: where === 'anywhere' ? 0 : (wholeNumber(one.seconds) ?? -1),
    }
  })

/** Where it belongs, in words; "" for anywhere. */
export const windowOf = (one: Phrase): string => (one.where === 'anywhere' ? '' : t(`phrases.within.${one.where}`, { n: one.seconds }))
