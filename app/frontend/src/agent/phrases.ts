// What an agent says and never says, as the list of today has it (篇6; forbidden ones also 篇4). Kept by whoever may: 质检 → 用语清单.
import { shallowRef } from 'vue'
import { api } from '../api/http'

export interface Phrase {
  code: string
  kind: 'required' | 'forbidden' | 'advised'
  language: string
  zh: string
  en: string
  variants: string[]
  where: 'begin' | 'end' | 'anywhere'
  seconds: number
  unless: string[]
  say: string
}

export const phrases = shallowRef<Phrase[]>([])
let asking = false

export async function loadPhrases(): Promise<void> {
  if (asking || phrases.value.length) return
  asking = true
  phrases.value = await api<{ phrases: Phrase[] }>('/phrases').then(
    (told) => told.phrases,
    () => [],
  )
  asking = false
}

/** What is shown to somebody who talks in that language; Chinese where there is nothing in it. */
export function sayings(all: readonly Phrase[], language: string, id: string): { greeting: string; good: string[]; never: string[] } {
  const own = all.filter((one) => one.language === language)
  const here = own.length ? own : all.filter((one) => one.language === 'zh')
  const greets = here.find((one) => one.kind === 'required' && one.where === 'begin' && one.say)
  const good = here.filter((one) => one !== greets && one.say).map((one) => one.say.replace('{id}', id))
  return {
    greeting: (greets?.say ?? '').replace('{id}', id),
    good: [...new Set(good)],
    never: here.filter((one) => one.kind === 'forbidden').map((one) => one.variants[0] ?? ''),
  }
}
