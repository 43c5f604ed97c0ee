// One window of a browser has the telephone; the others tell it what to do, show what it does, and take over when it closes.
import type { PhoneView } from './state'

/** What windows say to each other. */
export type Word =
  | { say: 'answer'; call_id: string }
  | { say: 'forget' }
  | { say: 'mute'; on: boolean }
  | { say: 'key'; key: string }
  | { say: 'check' }
  /** Which device is used has changed. */
  | { say: 'devices' }
  /** Asks who has the telephone for its view. */
  | { say: 'who' }
  | { say: 'view'; view: PhoneView }

export interface Ownership {
  /** Tells the other windows. */
  say(word: Word): void
  /** Gives the telephone to another window. */
  end(): void
}

interface Ends {
  /** This window has the telephone now. */
  mine(): void
  /** Another window has it. */
  others(): void
  /** Another window says something. */
  hear(word: Word): void
}

export function claim(name: string, ends: Ends): Ownership {
  const channel = new BroadcastChannel(name)
  channel.onmessage = (message) => ends.hear(message.data as Word)
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
    say: (word) => channel.postMessage(word),
    end() {
      ended = true
      waiting.abort()
      release()
      channel.close()
    },
  }
}
