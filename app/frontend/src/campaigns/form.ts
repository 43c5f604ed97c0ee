// A campaign in its form: what is typed, and what is sent.
import type { Language } from '../api/types'
import { AGAIN, LANGUAGES } from './types'
import type { Campaign, Texts } from './types'

export interface Typed {
  name: string
  kind: Campaign['kind']
  mode: Campaign['mode']
  channel: Campaign['channel']
  at_night: Campaign['at_night']
  on_machine: Campaign['on_machine']
  workdays: boolean
  priority: number
  most_attempts: number
  most_lines: number
  ring_s: number
  gathers: boolean
  texts: Record<Language, Texts>
  /** One answer a line: the first is key 1. */
  answers: string
  /** "09:00-12:00, 14:00-20:00" */
  windows: string
  spacing: Record<string, string>
}

/** Only a survey that calls and speaks can have people come onto its list by themselves. */
export const mayGather = (values: Typed): boolean => values.kind === 'survey' && values.mode === 'lines' && values.channel === 'phone'

const NO_TEXTS = (): Texts => ({ purpose: '', message: '', question: '' })

export function typed(of: Campaign | null): Typed {
  return {
    name: of?.name ?? '',
    kind: of?.kind ?? 'reminder',
    mode: of?.mode ?? 'lines',
    channel: of?.channel ?? 'phone',
    at_night: of?.at_night ?? 'wait',
    on_machine: of?.on_machine ?? 'message',
    workdays: of?.workdays ?? false,
    priority: of?.priority ?? 0,
    most_attempts: of?.most_attempts ?? 3,
    most_lines: of?.most_lines ?? 5,
    ring_s: of?.ring_s ?? 25,
    gathers: of?.gathers ?? false,
    texts: { zh: NO_TEXTS(), yue: NO_TEXTS(), en: NO_TEXTS(), ...Object.fromEntries(Object.entries(of?.texts ?? {}).map(([language, texts]) => [language, { ...texts }])) },
    answers: answersTyped(of?.answers ?? {}),
    windows: (of?.windows ?? [['09:00', '12:00'], ['14:00', '20:00']]).map((one) => one.join('-')).join(', '),
    spacing: Object.fromEntries(AGAIN.map((outcome) => [outcome, String(of?.spacing[outcome] ?? '')])),
  }
}

/** Keys without an answer between others keep their line. */
function answersTyped(answers: Record<string, string>): string {
  const last = Math.max(0, ...Object.keys(answers).map(Number))
  return Array.from({ length: last }, (_, at) => answers[String(at + 1)] ?? '').join('\n')
}

export const answersOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split('\n').flatMap((line, at) => (line.trim() ? [[String(at + 1), line.trim()]] : [])))

/** Null for what nobody can read. */
export function windowsOf(text: string): [string, string][] | null {
  const parts = text.split(/[,，、;；\n]/).map((part) => part.trim()).filter(Boolean)
  const windows = parts.map((part) => /^(\d{1,2})[:：](\d{2})\s*[-–—~至到]\s*(\d{1,2})[:：](\d{2})$/.exec(part))
  if (!windows.length || windows.some((one) => !one)) return null
  const clock = (hour: string, minute: string): string => `${hour.padStart(2, '0')}:${minute}`
  return windows.map((one) => [clock(one![1]!, one![2]!), clock(one![3]!, one![4]!)])
}

export function toSend(values: Typed): Record<string, unknown> {
  const { answers, windows, spacing, texts, ...rest } = values
  return {
    ...rest,
    // What the form shows for surveys by telephone alone holds for nothing else.
    gathers: values.gathers && mayGather(values),
    answers: answersOf(answers),
    windows: windowsOf(windows) ?? [],
    spacing: Object.fromEntries(Object.entries(spacing).flatMap(([outcome, minutes]) => (Number(minutes) > 0 ? [[outcome, Number(minutes)]] : []))),
    texts: Object.fromEntries(LANGUAGES.filter((one) => Object.values(texts[one]).some((text) => text.trim())).map((one) => [one, texts[one]])),
  }
}
