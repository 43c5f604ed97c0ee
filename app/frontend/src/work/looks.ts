// How a unit's work looks in each of its states.
import type { Look } from '../ui/looks'

const WORK: Record<string, Look> = {
  dispatched: { tone: 'paused', icon: 'bell' },
  signed: { tone: 'talking', icon: 'pen' },
  in_progress: { tone: 'talking', icon: 'pen' },
  in_review: { tone: 'wrapup', icon: 'search' },
  replied: { tone: 'wrapup', icon: 'out' },
  accepted: { tone: 'ready', icon: 'ready' },
  returned: { tone: 'paused', icon: 'transfer' },
  redo: { tone: 'trouble', icon: 'warning' },
  withdrawn: { tone: 'away', icon: 'close' },
}

export const workLook = (state: string): Look => WORK[state] ?? { tone: 'away', icon: 'info' }
