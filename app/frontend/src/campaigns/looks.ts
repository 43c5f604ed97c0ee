// How states and outcomes of calling out look: colour, icon and word together.
import type { Look } from '../ui/looks'

const CAMPAIGNS: Record<string, Look> = {
  draft: { tone: 'paused', icon: 'pen' },
  running: { tone: 'talking', icon: 'phone' },
  paused: { tone: 'paused', icon: 'paused' },
  done: { tone: 'ready', icon: 'ready' },
  stopped: { tone: 'away', icon: 'close' },
}

const TARGETS: Record<string, Look> = {
  waiting: { tone: 'paused', icon: 'clock' },
  calling: { tone: 'talking', icon: 'phone' },
  reached: { tone: 'ready', icon: 'ready' },
  given_up: { tone: 'trouble', icon: 'warning' },
  refused: { tone: 'away', icon: 'shield' },
  left_out: { tone: 'away', icon: 'close' },
}

const UNKNOWN: Look = { tone: 'away', icon: 'info' }
export const campaignLook = (state: string): Look => CAMPAIGNS[state] ?? UNKNOWN
export const targetLook = (state: string): Look => TARGETS[state] ?? UNKNOWN
export const wishLook = (open: boolean): Look => (open ? { tone: 'talking', icon: 'shield' } : { tone: 'away', icon: 'close' })
