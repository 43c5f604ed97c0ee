// What the pages of editions have in common: reading them, whether somebody writes one, and what is said when it is made.
import { ref, shallowRef } from 'vue'
import type { Ref, ShallowRef } from 'vue'
import { t } from '../i18n'
import { toast } from '../notify/toast'
import type { Edition } from './types'

export interface Editions {
  error: ShallowRef<unknown>
  writing: Ref<boolean>
  load: () => Promise<void>
  /** All editions, as they are with the new one. */
  made: (all: Edition[]) => void
}

/** `read` asks for them and keeps them; it is called at once. */
export function useEditions(read: () => Promise<unknown>): Editions {
  const error = shallowRef<unknown>(null)
  const writing = ref(false)

  async function load(): Promise<void> {
    try {
      await read()
      error.value = null
    } catch (cause) {
      error.value = cause
    }
  }

  function made([newest]: Edition[]): void {
    writing.value = false
    window.scrollTo(0, 0) // where the form has been there is less now
    if (newest) toast(t('edition.saved', { n: newest.number, day: newest.since ?? '' }), 'ready', 9000)
  }

  void load()
  return { error, writing, load, made }
}
