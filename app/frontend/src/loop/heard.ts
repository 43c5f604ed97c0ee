// What a call-back brought, as the form holds it, and what is missing in it (app/followups/model.py).
import type { Key } from '../i18n'
import type { OPINIONS, REACHED } from './types'

export const QUESTIONS = ['solved', 'contacted_in_time', 'true_to_reality'] as const
export type Question = (typeof QUESTIONS)[number]

export interface Heard extends Record<Question, boolean | null> {
  reached: (typeof REACHED)[number]
  satisfaction: (typeof OPINIONS)[number] | ''
  note: string
  propose_redo: boolean
}

export const nothing = (): Heard => ({ reached: 'spoken', satisfaction: '', solved: null, contacted_in_time: null, true_to_reality: null, note: '', propose_redo: false })

const UNSATISFIED = ['dissatisfied', 'very_dissatisfied']

/** What is missing, by field: the key of the text that says so. */
export function missing(heard: Heard): Record<string, Key> {
  const found: Record<string, Key> = {}
  if (heard.reached === 'spoken') {
    if (!heard.satisfaction) found.satisfaction = 'followUp.missing.satisfaction'
    for (const name of QUESTIONS) if (heard[name] === null) found[name] = 'followUp.missing.question'
    if (!heard.note.trim() && UNSATISFIED.includes(heard.satisfaction)) found.note = 'followUp.missing.why'
  }
  if (!heard.note.trim() && heard.propose_redo) found.note = 'followUp.missing.redo'
  return found
}

/** Whether it should be done again by the rule: unsatisfied, unsolved, or not as it was reported. */
export const shouldPropose = (heard: Heard): boolean =>
  heard.reached === 'spoken' && (UNSATISFIED.includes(heard.satisfaction) || heard.solved === false || heard.true_to_reality === false)

/** The request's body: nobody who was not spoken to has an opinion. */
export function toSend(heard: Heard, version: number, call_id: string): object {
  const asked = heard.reached === 'spoken'
  const answers = Object.fromEntries(QUESTIONS.map((name) => [name, asked ? heard[name] : null]))
  return { version, reached: heard.reached, satisfaction: (asked && heard.satisfaction) || null, ...answers, note: heard.note.trim(), propose_redo: heard.propose_redo, call_id }
}
