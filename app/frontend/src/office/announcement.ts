// An announcement as its form holds it: every language present, times as the city's clock tells them.
import { cityInput, fromCityInput } from '../api/format'
import type { Announcement, Language } from '../api/types'

export const LANGUAGES = ['zh', 'yue', 'en'] as const
export const URGENCIES = ['0', '10', '20']
const TWO_HOURS = 2 * 60 * 60 * 1000

export interface Written {
  texts: Record<Language, string>
  from: string
  until: string
  priority: string
  area: string
}

/** What the form begins with; without an announcement: from now on, for two hours. */
export function written(from: Announcement | null, now: number): Written {
  return {
    texts: { zh: from?.texts.zh ?? '', yue: from?.texts.yue ?? '', en: from?.texts.en ?? '' },
    from: cityInput(from?.active_from ?? now),
    until: cityInput(from?.active_until ?? now + TWO_HOURS),
    priority: String(from?.priority ?? 0),
    area: from?.area ?? '',
  }
}

/** The copy of what is past: its words, from now on. */
export const copied = (from: Announcement, now: number): Written => ({ ...written(from, now), from: cityInput(now), until: cityInput(now + TWO_HOURS) })

/** What is sent. Languages without words are left out. */
export function toSend(form: Written): object {
  return {
    texts: Object.fromEntries(Object.entries(form.texts).filter(([, text]) => text.trim())),
    active_from: fromCityInput(form.from),
    active_until: fromCityInput(form.until),
    priority: Number(form.priority),
    area: form.area.trim(),
  }
}

/** A form as single lines, so that two of them can be compared. */
export const lines = (form: Written): Record<string, string> => ({
  ...Object.fromEntries(LANGUAGES.map((language) => [language, form.texts[language].trim()])),
  from: form.from.replace('T', ' '),
  until: form.until.replace('T', ' '),
  priority: form.priority,
  area: form.area.trim(),
})

/** The names of the lines that differ. */
export function differing(one: Written, other: Written): string[] {
  const [a, b] = [lines(one), lines(other)]
  return Object.keys(a).filter((name) => a[name] !== b[name])
}
