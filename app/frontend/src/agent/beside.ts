// What the knowledge beside the card is asked, and how its list stays still while somebody is about to press something in it.
import { ref, shallowRef, watch } from 'vue'
import type { Ref, ShallowRef } from 'vue'
import type { CaseFields } from '../api/types'

/** The server reads no more of a question; the newest words tell best what is spoken of now. */
const LONGEST = 200
const OF_TITLE = 60
const OF_SPOKEN = 60
const LEAST = 2

/** How many answers lie beside the card now. */
export const besideCount = ref(0)

type Told = Pick<CaseFields, 'title' | 'content' | 'caller_name' | 'caller_number' | 'address'>

/** The last `most` characters, from the beginning of a clause. */
function ending(text: string, most: number): string {
  const whole = text.trim()
  if (whole.length <= most) return whole
  const cut = whole.slice(-most)
  const clause = cut.search(/[，。！？；,.!?;\s]/)
  return clause >= 0 && clause < most / 2 ? cut.slice(clause + 1) : cut
}

/** What is searched for: what the card says of the matter and, later, what was heard of the talk; not who the caller is. */
export function wordsOf(form: Told, spoken = ''): string {
  const title = form.title.trim().slice(0, OF_TITLE)
  const heard = ending(spoken, OF_SPOKEN)
  const content = ending(form.content, LONGEST - title.length - heard.length - 2)
  const words = without(form, [title, content, heard].filter(Boolean).join(' '))
  return words.length < LEAST ? '' : words.slice(0, LONGEST)
}

/** The words to report as not found: short, and without who called. */
export const gapOf = (form: Told): string => without(form, form.title.trim() || (form.content.trim().split(/[。！？；\n]/)[0] ?? '')).slice(0, 40)

function without(form: Told, text: string): string {
  const secrets = [form.caller_name, form.caller_number, form.address].map((one) => one.trim()).filter((one) => one.length > 1)
  return secrets.reduce((left, secret) => left.split(secret).join(' '), text).trim()
}

export interface Held<T> {
  shown: ShallowRef<T[]>
  /** Newer ones are there, and are shown once nobody is at the list. */
  waiting: Ref<boolean>
  take(): void
}

/** The list as it may be shown: what is under the pointer or has the focus (`busy`) does not change. */
export function useHeld<T>(fresh: () => T[], busy: Ref<boolean>, key: (one: T) => unknown): Held<T> {
  const shown = shallowRef<T[]>([])
  const waiting = shallowRef(false)
  const same = (): boolean => JSON.stringify(fresh().map(key)) === JSON.stringify(shown.value.map(key))
  function take(): void {
    shown.value = fresh()
    waiting.value = false
  }
  watch(
    [fresh, busy],
    () => {
      if (!busy.value || !shown.value.length || same()) take()
      else waiting.value = true
    },
    { immediate: true, flush: 'sync' },
  )
  return { shown, waiting, take }
}
