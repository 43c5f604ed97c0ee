// One window of a browser has the telephone; the others ask it to answer, and take over when it closes.

export interface Ownership {
  /** Tells the other windows. */
  say(message: unknown): void
  /** Gives the telephone to another window. */
  end(): void
}

interface Ends {
  /** This window has the telephone now. */
  mine(): void
  /** Another window has it. */
  others(): void
  /** Another window says something. */
  hear(message: unknown): void
}

export function claim(name: string, ends: Ends): Ownership {
  const channel = new BroadcastChannel(name)
  channel.onmessage = (message) => ends.hear(message.data)
  const waiting = new AbortController()
  let release: () => void = () => undefined
  let ended = false
  const hold = (): Promise<void> =>
    new Promise((done) => {
      release = done
      if (ended) done()
      else ends.mine()
    })
  void navigator.locks
    .request(name, { ifAvailable: true }, async (lock) => {
      if (!lock) return false
      await hold()
      return true
    })
    .then(async (had) => {
      if ((await had) || ended) return undefined
      ends.others()
      return navigator.locks.request(name, { signal: waiting.signal }, hold)
    })
    .catch(() => undefined)
  return {
    say: (message) => channel.postMessage(message),
    end() {
      ended = true
      waiting.abort()
      release()
      channel.close()
    },
  }
}
