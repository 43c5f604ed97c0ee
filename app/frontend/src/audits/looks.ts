// How the states of a round, of a call, and what a number came to look: colour, icon and word always go together.
import type { Look } from '../ui/looks'

const ROUNDS: Record<string, Look> = {
  planned: { tone: 'paused', icon: 'clock' },
  running: { tone: 'talking', icon: 'phone' },
  paused: { tone: 'paused', icon: 'paused' },
  closed: { tone: 'wrapup', icon: 'pen' },
  published: { tone: 'ready', icon: 'ready' },
  cancelled: { tone: 'away', icon: 'close' },
}
const RESULTS: Record<string, Look> = {
  answered: { tone: 'ready', icon: 'phone' },
  no_answer: { tone: 'trouble', icon: 'ringing' },
  busy: { tone: 'paused', icon: 'paused' },
  vacant: { tone: 'trouble', icon: 'error' },
  intercepted: { tone: 'trouble', icon: 'speaker' },
  fax: { tone: 'trouble', icon: 'fax' },
  silent: { tone: 'paused', icon: 'mic-off' },
  wrong: { tone: 'trouble', icon: 'flag' },
  untried: { tone: 'away', icon: 'info' },
  network: { tone: 'away', icon: 'offline' },
  abandoned: { tone: 'away', icon: 'hangup' },
}
const STATES: Record<string, Look> = {
  calling: { tone: 'talking', icon: 'phone' },
  to_grade: { tone: 'paused', icon: 'pen' },
  graded: { tone: 'ready', icon: 'ready' },
}
const ATTEMPTS: Record<string, Look> = {
  planned: { tone: 'paused', icon: 'clock' },
  asked: { tone: 'ringing', icon: 'ringing' },
  dialling: { tone: 'talking', icon: 'phone' },
  lost: { tone: 'away', icon: 'warning' },
  dropped: { tone: 'away', icon: 'close' },
}
const UNKNOWN: Look = { tone: 'away', icon: 'info' }

export const roundLook = (state: string): Look => ROUNDS[state] ?? UNKNOWN
export const resultLook = (result: string): Look => RESULTS[result] ?? UNKNOWN
export const targetLook = (state: string): Look => STATES[state] ?? UNKNOWN
export const attemptLook = (state: string): Look => ATTEMPTS[state] ?? UNKNOWN
