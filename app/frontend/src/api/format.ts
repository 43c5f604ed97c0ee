// Numbers and times as people read them. Clock times are those of the hotline's city, wherever the browser is.
import { locale, t, word } from '../i18n'

const ZONE = 'Asia/Shanghai'

function formatter(options: Intl.DateTimeFormatOptions): (at: Date) => string {
  const made = new Intl.DateTimeFormat('zh-CN', { timeZone: ZONE, hour12: false, ...options })
  return (at) => made.format(at).replace(/\//g, '-').replace(/^24:/, '00:')
}

const full = formatter({ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const brief = formatter({ month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const clock = formatter({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

function shown(value: string | number | null | undefined, how: (at: Date) => string): string {
  if (value === null || value === undefined || value === '') return '—'
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? String(value) : how(at)
}

/** "2026-11-24 09:30:12" */
export const dateTime = (value: string | number | null | undefined): string => shown(value, full)
/** "11-24 09:30" */
export const shortTime = (value: string | number | null | undefined): string => shown(value, brief)
/** "09:30:12" */
export const clockTime = (value: string | number | null | undefined): string => shown(value, clock)

/** "2026-11-24 09:30" */
export const dayTime = (value: string | number | null | undefined): string => shown(value, full).replace(/:\d\d$/, '')

/** When a time ends, as people say it: at midnight the day before is over, "24:00". */
function end(value: string | null | undefined, how: (at: string | number | null | undefined) => string): string {
  const text = how(value)
  return text.endsWith(' 00:00') ? how(Date.parse(value ?? '') - 60_000).replace(/ .*/, ' 24:00') : text
}
/** "11-24 24:00" */
export const dueTime = (value: string | null | undefined): string => end(value, shortTime)
/** "2026-11-24 24:00" */
export const dueDate = (value: string | null | undefined): string => end(value, dayTime)

const DIGITS = /(\d{4})-(\d{2})-(\d{2})\D+(\d{2}):(\d{2})/

/** A moment as the value of a datetime-local input, in the hotline's city: "2026-11-24T09:30". */
export function cityInput(at: string | number | Date): string {
  return full(new Date(at)).replace(DIGITS, '$1-$2-$3T$4:$5').slice(0, 16)
}

/** The moment that a datetime-local input means in the hotline's city; "" for none. The zone has had one offset since 1991. */
export const fromCityInput = (text: string): string => (text ? `${text.slice(0, 16)}:00+08:00` : '')

/** The end of a day (24:00) in the hotline's city. */
export const dayEnd = (day: string): string => new Date(Date.parse(fromCityInput(`${day}T00:00`)) + 86_400_000).toISOString()

/** Seconds as "0:07", "12:05", "1:02:05"; a missing value as "—". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '—'
  const all = Math.max(0, Math.floor(seconds))
  const two = (n: number): string => String(n).padStart(2, '0')
  const [h, m, s] = [Math.floor(all / 3600), Math.floor((all % 3600) / 60), all % 60]
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** 0.9567 as "95.7%". Whole hundred without decimals. Rounded down, so that a missed target never looks met. */
export function percent(rate: number | null | undefined): string {
  if (rate === null || rate === undefined || !Number.isFinite(rate)) return '—'
  const tenths = Math.floor(rate * 1000 + 1e-9) / 10
  return `${Number.isInteger(tenths) ? tenths : tenths.toFixed(1)}%`
}

/** The server counts so many and no more. */
const MOST_COUNTED = 500

/** A count for reading: "500+" where the server stopped counting; `from`: so many stand before what it counted. */
export const toldCount = (n: number, from = 0): string => (n - from >= MOST_COUNTED ? `${n}+` : String(n))

/** A caller's number for reading: mobile numbers in groups, a withheld one in words. */
export function phoneNumber(number: string | null | undefined): string {
  if (!number) return t('app.withheld')
  return /^1\d{10}$/.test(number) ? `${number.slice(0, 3)} ${number.slice(3, 7)} ${number.slice(7)}` : number
}

/** Nodes of the menu that a caller does not notice: branches and look-ups. */
const SILENT_NODES = /^(caller|hours|announcements|queue|unit|read|read_result|sms|topic_answers|answer_(chosen|numbered)|case_(progress|result|rated|reopened)|call_rated|(?!unit_).*_(open|person|closed))$/

/** The way through the voice menu in words, from node ids in a list or joined by ">". */
export function menuPath(path: string[] | string | null | undefined): string {
  const nodes = Array.isArray(path) ? path : (path ?? '').split('>')
  return nodes
    .filter((node) => node && !SILENT_NODES.test(node))
    .map((node) => word('menu', node))
    .join(' › ')
}

/** Names in the reader's order of a list: "a、b" or "a, b". */
export const joined = (parts: string[]): string => parts.join(locale.value === 'zh' ? '、' : ', ')
