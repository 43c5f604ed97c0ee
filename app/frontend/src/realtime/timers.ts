// setTimeout that keeps its time while the page is hidden.

export interface Timers {
  /** Runs `job` once, `after` ms from now; the returned function calls it off. */
  after(ms: number, job: () => void): () => void
}

export const pageTimers: Timers = {
  after(ms, job) {
    const id = setTimeout(job, ms)
    return () => clearTimeout(id)
  },
}

/** Timers in a worker; falls back to the page's own where workers are refused. */
export function steadyTimers(): Timers {
  let worker: Worker
  try {
    worker = new Worker(new URL('./timer.worker.ts', import.meta.url), { type: 'module' })
  } catch {
    return pageTimers
  }
  const jobs = new Map<number, () => void>()
  let last = 0
  let broken = false
  worker.onmessage = (message: MessageEvent<number>) => {
    const job = jobs.get(message.data)
    jobs.delete(message.data)
    job?.()
  }
  worker.onerror = () => {
    // The worker never came up: nothing that was asked of it may be lost.
    broken = true
    const waiting = [...jobs.values()]
    jobs.clear()
    waiting.forEach((job) => job())
  }
  return {
    after(ms, job) {
      if (broken) return pageTimers.after(ms, job)
      const id = ++last
      jobs.set(id, job)
      worker.postMessage({ id, after: ms })
      return () => {
        if (jobs.delete(id)) worker.postMessage({ id, cancel: true })
      }
    },
  }
}
