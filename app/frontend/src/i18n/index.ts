// The reader's language: Chinese first, English by a switch that is remembered. A text is a key in `zh`; `en` must have every one.
import { ref } from 'vue'
import { remember, remembered } from '../ui/kept'
import { en } from './en'
import { zh } from './zh'

export type Key = keyof typeof zh
export type Locale = 'zh' | 'en'
type Params = Record<string, string | number>

const catalogues: Record<Locale, Record<Key, string>> = { zh, en }
const KEPT = 'hotline.locale'

export const locale = ref<Locale>(remembered(KEPT) === 'en' ? 'en' : 'zh')

export function setLocale(next: Locale): void {
  locale.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  remember(KEPT, next)
}

/** The text of `key` in the reader's language; `{name}` is replaced by params.name. */
export function t(key: Key, params?: Params): string {
  const text = catalogues[locale.value][key]
  return params ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole)) : text
}

/** The text of `prefix.value` when the catalogue has it, else `value` itself: for ids that the server may extend. */
export function word(prefix: string, value: string | null | undefined): string {
  if (!value) return ''
  const key = `${prefix}.${value}`
  return key in zh ? t(key as Key) : value
}
