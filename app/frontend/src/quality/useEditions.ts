// What the pages of editions have in common: reading them, whether somebody writes one, and what is said when it is made.
import { ref, shallowRef } from 'vue'
import type { Ref, ShallowRef } from 'vue'
import { api } from '../api/http'
import { t } from '../i18n'
import { toast } from '../notify/toast'
import type { Edition } from './types'

export interface Editions<T> {
  all: ShallowRef<T | null>
  error: ShallowRef<unknown>
  writing: Ref<boolean>
  load: () => Promise<void>
  /** A new one was made; this is what there is with it. */
  done: (next: T) => void
}

/** `path`: where they are; `of`: the editions in what stands there, newest first. They are read at once. */
export function useEditions<T>(path: string, of: (all: T) => Edition[]): Editions<T> {
  const all = shallowRef<T | null>(null)
  const error = shallowRef<unknown>(null)
  const writing = ref(false)

  async function load(): Promise<void> {
    try {
      all.value = await api<T>(path)
      error.value = null
    } catch (cause) {
      error.value = cause
    }
  }

  function done(next: T): void {
    all.value = next
    writing.value = false
    window.scrollTo(0, 0) // where the form has been there is less now
    const [newest] = of(next)
    if (newest) toast(t('edition.saved', { n: newest.number, day: newest.since ?? '' }), 'ready', 9000)
  }

  void load()
  return { all, error, writing, load, done }
}
