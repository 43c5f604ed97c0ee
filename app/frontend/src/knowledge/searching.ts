// Searching as one types: asks once the fingers rest, shows the last answer only, and says when a search came to nothing.
// What is typed may be a name: it lives here, in memory, and in request bodies.
import { ref, shallowRef } from 'vue'
import type { Ref, ShallowRef } from 'vue'
import type { Hit, Hits } from './types'

/** A pause between two keystrokes is shorter; the answer takes a few milliseconds. */
const REST_MS = 120
/** Whoever has not typed for so long has ended: a search in vain counts from then on. */
const DONE_MS = 2500

export interface Searching {
  q: Ref<string>
  hits: ShallowRef<Hit[]>
  /** The words that `hits` answer; null before the first answer. */
  answered: Ref<string | null>
  error: ShallowRef<unknown>
  /** The position of the chosen article among the hits, -1 for none. */
  chosen: Ref<number>
  /** The search in vain was put on the list of work. */
  noted: Ref<boolean>
  typed(): void
  done(): Promise<void>
  move(by: number): void
}

export function useSearching(ask: (q: string, done: boolean, signal: AbortSignal) => Promise<Hits>): Searching {
  const q = ref('')
  const hits = shallowRef<Hit[]>([])
  const answered = ref<string | null>(null)
  const error = shallowRef<unknown>(null)
  const chosen = ref(-1)
  const noted = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: AbortController | null = null

  function forget(): void {
    clearTimeout(timer)
    running?.abort()
    running = null
  }

  async function run(done: boolean): Promise<void> {
    forget()
    const words = q.value.trim()
    if (!words) return
    const { signal } = (running = new AbortController())
    try {
      const told = await ask(words, done, signal)
      if (signal.aborted) return
      const kept = words === answered.value ? chosen.value : 0
      hits.value = told.items
      answered.value = words
      chosen.value = told.items.length ? Math.min(kept, told.items.length - 1) : -1
      error.value = null
      noted.value = told.noted
      if (!done && !told.items.length) timer = setTimeout(() => void run(true), DONE_MS)
    } catch (cause) {
      if (!signal.aborted) error.value = cause
    }
  }

  function typed(): void {
    forget()
    noted.value = false
    if (q.value.trim()) timer = setTimeout(() => void run(false), REST_MS)
    else {
      hits.value = []
      answered.value = null
      chosen.value = -1
    }
  }

  function move(by: number): void {
    if (hits.value.length) chosen.value = Math.max(0, Math.min(hits.value.length - 1, chosen.value + by))
  }

  return { q, hits, answered, error, chosen, noted, typed, done: () => run(true), move }
}
