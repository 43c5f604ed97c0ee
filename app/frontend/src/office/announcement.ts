// An announcement as its form holds it: every language present, times as the city's clock tells them.
import { cityInput, fromCityInput } from '../api/format'
import type { Announcement, AnnouncementVoice } from '../api/types'

/** The languages of the menu that ships: what is gone by until the server has named the instance's own. */
export const SHIPPED: AnnouncementVoice[] = [
  { language: 'zh', speaks: true, reads: [] },
  { language: 'yue', speaks: true, reads: ['zh'] },
  { language: 'en', speaks: true, reads: [] },
]
export const URGENCIES = ['0', '10', '20']
const TWO_HOURS = 2 * 60 * 60 * 1000

export interface Written {
  texts: Record<string, string>
  from: string
  until: string
  priority: string
  area: string
}

/** What callers of a language hear of these texts, and whose text it is; "" where there is none that they would understand, or no voice to say it. */
export function saidIn(texts: Record<string, string>, voice: AnnouncementVoice): { text: string; of: string } {
  const of = voice.speaks ? [voice.language, ...voice.reads].find((one) => texts[one]?.trim()) : undefined
  return of ? { text: texts[of]!.trim(), of } : { text: '', of: '' }
}

/** The languages whose callers would hear nothing. */
export const silent = (texts: Record<string, string>, voices: AnnouncementVoice[]): string[] => voices.filter((voice) => !saidIn(texts, voice).text).map((voice) => voice.language)

/** What the form begins with; without an announcement: from now on, for two hours. */
export function written(from: Announcement | null, now: number, voices: AnnouncementVoice[] = SHIPPED): Written {
  const languages = [...new Set([...voices.map((voice) => voice.language), ...Object.keys(from?.texts ?? {})])]
  return {
    texts: Object.fromEntries(languages.map((language) => [language, from?.texts[language] ?? ''])),
    from: cityInput(from?.active_from ?? now),
    until: cityInput(from?.active_until ?? now + TWO_HOURS),
    priority: String(from?.priority ?? 0),
    area: from?.area ?? '',
  }
}

/** The copy of what is past: its words, from now on. */
export const copied = (from: Announcement, now: number, voices: AnnouncementVoice[] = SHIPPED): Written => ({ ...written(from, now, voices), from: cityInput(now), until: cityInput(now + TWO_HOURS) })

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
  ...Object.fromEntries(Object.entries(form.texts).map(([language, text]) => [language, text.trim()])),
  from: form.from.replace('T', ' '),
  until: form.until.replace('T', ' '),
  priority: form.priority,
  area: form.area.trim(),
})

/** The names of the lines that differ. */
export function differing(one: Written, other: Written): string[] {
  const [a, b] = [lines(one), lines(other)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => (a[name] ?? '') !== (b[name] ?? ''))
}
