// What is kept for the page that comes next: in this window the talk that a reload cut, and that the check was passed; in
// this browser the talk that goes on, in case its window crashes.
import { remember, remembered } from '../ui/kept'

const CUT = 'hotline.phone.cut'
/** Later than this the page was not reloaded but opened again: nothing is taken back by itself. */
const FRESH_MS = 60_000

export function keepCut(call_id: string, now: number): void {
  sessionStorage.setItem(CUT, JSON.stringify({ what: call_id, at: now }))
}

export function clearCut(): void {
  sessionStorage.removeItem(CUT)
}

/** Its call, "" for one that was no citizen's; null: none, or long ago. */
export function leftCut(now: number): string | null {
  const text = sessionStorage.getItem(CUT)
  clearCut()
  return readKept(text, now, FRESH_MS)
}

/** What was kept no longer than `forMs` ago; null for everything else that may stand there. */
export function readKept(text: string | null, now: number, forMs: number): string | null {
  try {
    const { what, at } = JSON.parse(text ?? '{}') as { what: unknown; at: unknown }
    return typeof what === 'string' && typeof at === 'number' && Math.abs(now - at) < forMs ? what : null
  } catch {
    return null
  }
}

const CHECKED = 'hotline.phone.checked'
/** A shift and its overtime. */
const SHIFT_MS = 12 * 3_600_000

export function keepChecked(agent_id: string, passed: boolean, now: number): void {
  if (passed) sessionStorage.setItem(CHECKED, JSON.stringify({ what: agent_id, at: now }))
  else sessionStorage.removeItem(CHECKED)
}

/** Whether this agent has passed the check in this window, in this shift. */
export function wasChecked(agent_id: string, now: number): boolean {
  return readKept(sessionStorage.getItem(CHECKED), now, SHIFT_MS) === agent_id
}

const HERE = 'hotline.phone.here'

/** The agent has chosen this computer's browser as the telephone ("": not any more). */
export const keepHere = (agent_id: string): void => remember(HERE, agent_id || null)

export const isHere = (agent_id: string): boolean => remembered(HERE) === agent_id

const TALK = 'hotline.phone.talk'

/** The call that is talked in this browser; "" ends it. */
export const keepTalk = (call_id: string): void => remember(TALK, call_id || null)

export const talkedHere = (): string | null => remembered(TALK)
