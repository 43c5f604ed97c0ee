// Looking something up while somebody types: asked once the fingers rest, the last answer only is shown.
import { shallowRef } from 'vue'
import type { ShallowRef } from 'vue'

export interface Asking<Q, A> {
  answer: ShallowRef<A>
  failed: ShallowRef<boolean>
  /** Null: there is nothing to ask about. */
  typed(question: Q | null): void
  stop(): void
}

export function useAsking<Q, A>(rest_ms: number, nothing: A, ask: (question: Q, signal: AbortSignal) => Promise<A>): Asking<Q, A> {
  const answer = shallowRef(nothing) as ShallowRef<A>
  const failed = shallowRef(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: AbortController | null = null
  let last = ''

  function stop(): void {
    clearTimeout(timer)
    running?.abort()
    running = null
  }

  async function run(question: Q): Promise<void> {
    const { signal } = (running = new AbortController())
    try {
      const told = await ask(question, signal)
      if (signal.aborted) return
      answer.value = told
      failed.value = false
    } catch {
      if (signal.aborted) return
      failed.value = true
      last = '' // the next keystroke asks again
    }
  }

  function typed(question: Q | null): void {
    const key = JSON.stringify(question)
    if (key === last) return
    last = key
    stop()
    if (question !== null) timer = setTimeout(() => void run(question), rest_ms)
    else answer.value = nothing
  }

  return { answer, failed, typed, stop }
}
