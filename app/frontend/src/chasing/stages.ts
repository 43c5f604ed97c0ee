// The stages of chasing as pages: what waits for a decision first, then level by level, then how much of each for whom.
import { may } from '../session/session'
import type { Look } from '../ui/looks'
import { LEVELS } from './types'
import type { Chase } from './types'

export const STAGES = ['drafts', ...LEVELS] as const
export type Stage = (typeof STAGES)[number]

/** Whether this person hears of what has not been decided (app/chasing/queries.py). */
export const seesDrafts = (): boolean => may('cases.review') || may('audit.read')

/** What every question for this stage says. */
export const fixed = (stage: Stage): Record<string, string> => (stage === 'drafts' ? { state: 'draft' } : { level: stage })

const LOOKS: Record<Chase['state'], Look> = {
  sent: { tone: 'paused', icon: 'clock' },
  met: { tone: 'ready', icon: 'ready' },
  unmet: { tone: 'trouble', icon: 'warning' },
  draft: { tone: 'talking', icon: 'pen' },
  confirmed: { tone: 'trouble', icon: 'speaker' },
  dropped: { tone: 'away', icon: 'close' },
}
export const chaseLook = (chase: Chase): Look => LOOKS[chase.state]
