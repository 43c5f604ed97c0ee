// How a state looks everywhere: tone (colour), icon and word always go together.

export interface Look {
  tone: 'ready' | 'ringing' | 'talking' | 'wrapup' | 'paused' | 'trouble' | 'away'
  icon: string
}

const STATES: Record<string, Look> = {
  signed_out: { tone: 'away', icon: 'out' },
  ready: { tone: 'ready', icon: 'ready' },
  offered: { tone: 'ringing', icon: 'ringing' },
  talking: { tone: 'talking', icon: 'phone' },
  wrap_up: { tone: 'wrapup', icon: 'pen' },
  not_ready: { tone: 'paused', icon: 'paused' },
}

const OUTCOMES: Record<string, Look> = {
  answered: { tone: 'ready', icon: 'phone' },
  abandoned: { tone: 'trouble', icon: 'hangup' },
  voicemail: { tone: 'wrapup', icon: 'voicemail' },
  callback: { tone: 'talking', icon: 'phone' },
  transferred: { tone: 'talking', icon: 'transfer' },
  fax: { tone: 'wrapup', icon: 'fax' },
  self_service: { tone: 'ready', icon: 'ready' },
  failsafe: { tone: 'trouble', icon: 'warning' },
  failed: { tone: 'trouble', icon: 'error' },
}

const CASE_STATES: Record<string, Look> = {
  draft: { tone: 'paused', icon: 'pen' },
  registered: { tone: 'talking', icon: 'file' },
  discarded: { tone: 'away', icon: 'close' },
  answered: { tone: 'ready', icon: 'ready' },
  guided: { tone: 'ready', icon: 'ready' },
  referred: { tone: 'ready', icon: 'ready' },
  transferred: { tone: 'ready', icon: 'ready' },
  declined: { tone: 'away', icon: 'close' },
  to_dispatch: { tone: 'paused', icon: 'clock' },
  dispatched: { tone: 'talking', icon: 'transfer' },
  signed: { tone: 'talking', icon: 'person' },
  in_progress: { tone: 'talking', icon: 'pen' },
  replied: { tone: 'wrapup', icon: 'file' },
  in_review: { tone: 'wrapup', icon: 'search' },
  to_follow_up: { tone: 'wrapup', icon: 'phone' },
  closed: { tone: 'ready', icon: 'ready' },
  archived: { tone: 'away', icon: 'lock' },
  returned: { tone: 'trouble', icon: 'warning' },
  redo: { tone: 'trouble', icon: 'callback' },
  deferred: { tone: 'paused', icon: 'paused' },
  merged: { tone: 'away', icon: 'link' },
}

const WORK_STATES: Record<string, Look> = {
  dispatched: { tone: 'paused', icon: 'clock' },
  signed: { tone: 'talking', icon: 'person' },
  in_progress: { tone: 'talking', icon: 'pen' },
  in_review: { tone: 'talking', icon: 'search' },
  replied: { tone: 'wrapup', icon: 'file' },
  accepted: { tone: 'ready', icon: 'ready' },
  returned: { tone: 'trouble', icon: 'warning' },
  redo: { tone: 'trouble', icon: 'callback' },
  withdrawn: { tone: 'away', icon: 'close' },
}

const INTAKES: Record<string, Look> = {
  new: { tone: 'talking', icon: 'info' },
  done: { tone: 'ready', icon: 'ready' },
  complete: { tone: 'ready', icon: 'ready' },
  partial: { tone: 'paused', icon: 'warning' },
  dropped: { tone: 'away', icon: 'close' },
  failed: { tone: 'trouble', icon: 'error' },
}

const CALLBACKS: Record<string, Look> = {
  open: { tone: 'paused', icon: 'clock' },
  taken: { tone: 'talking', icon: 'phone' },
  dialling: { tone: 'talking', icon: 'phone' },
  done: { tone: 'ready', icon: 'ready' },
  given_up: { tone: 'trouble', icon: 'warning' },
  cancelled: { tone: 'away', icon: 'close' },
}

const ANNOUNCEMENTS: Record<string, Look> = {
  active: { tone: 'talking', icon: 'speaker' },
  coming: { tone: 'paused', icon: 'clock' },
  past: { tone: 'away', icon: 'close' },
}

const NUISANCES: Record<string, Look> = {
  active: { tone: 'talking', icon: 'shield' },
  ended: { tone: 'away', icon: 'close' },
  expired: { tone: 'away', icon: 'clock' },
}

const KNOWLEDGE: Record<string, Look> = {
  draft: { tone: 'paused', icon: 'pen' },
  in_unit: { tone: 'talking', icon: 'people' },
  in_review: { tone: 'talking', icon: 'search' },
  published: { tone: 'ready', icon: 'ready' },
  expired: { tone: 'trouble', icon: 'warning' },
  replaced: { tone: 'away', icon: 'clock' },
  withdrawn: { tone: 'away', icon: 'close' },
  discarded: { tone: 'away', icon: 'close' },
}

const GAPS: Record<string, Look> = {
  open: { tone: 'paused', icon: 'info' },
  claimed: { tone: 'talking', icon: 'person' },
  given: { tone: 'talking', icon: 'people' },
  closed: { tone: 'ready', icon: 'ready' },
}

const REVIEWS: Record<string, Look> = {
  drawn: { tone: 'paused', icon: 'pen' },
  skipped: { tone: 'away', icon: 'close' },
  published: { tone: 'talking', icon: 'file' },
  acknowledged: { tone: 'ready', icon: 'ready' },
  appealed: { tone: 'wrapup', icon: 'flag' },
  upheld: { tone: 'ready', icon: 'lock' },
  changed: { tone: 'ready', icon: 'callback' },
}

const THIRDS: Record<string, Look> = {
  talked: { tone: 'ready', icon: 'ready' },
  busy: { tone: 'paused', icon: 'paused' },
  no_answer: { tone: 'paused', icon: 'warning' },
  unreachable: { tone: 'trouble', icon: 'error' },
  refused: { tone: 'trouble', icon: 'error' },
  cancelled: { tone: 'away', icon: 'out' },
  open: { tone: 'talking', icon: 'phone' },
}

/** A case as its citizen sees it. */
const PROGRESS: Record<string, Look> = {
  draft: { tone: 'paused', icon: 'clock' },
  registered: { tone: 'paused', icon: 'file' },
  dispatched: { tone: 'talking', icon: 'transfer' },
  accepted: { tone: 'talking', icon: 'person' },
  handling: { tone: 'talking', icon: 'pen' },
  answered: { tone: 'wrapup', icon: 'search' },
  follow_up: { tone: 'wrapup', icon: 'phone' },
  returned: { tone: 'paused', icon: 'callback' },
  refused: { tone: 'away', icon: 'close' },
  closed: { tone: 'ready', icon: 'ready' },
}

const UNKNOWN: Look = { tone: 'away', icon: 'info' }

export const stateLook = (state: string): Look => STATES[state] ?? UNKNOWN
export const progressLook = (state: string): Look => PROGRESS[state] ?? UNKNOWN
export const outcomeLook = (outcome: string | null): Look => OUTCOMES[outcome ?? ''] ?? UNKNOWN
/** Every state of a case, in the order of its way. */
export const STATES_OF_CASES = Object.keys(CASE_STATES)
export const caseLook = (state: string): Look => CASE_STATES[state] ?? UNKNOWN
export const workLook = (state: string): Look => WORK_STATES[state] ?? UNKNOWN
/** What came of ringing a third party; null while it goes on. */
export const thirdLook = (outcome: string | null): Look => THIRDS[outcome ?? 'open'] ?? UNKNOWN
export const callbackLook = (state: string): Look => CALLBACKS[state] ?? UNKNOWN
export const announcementLook = (state: string): Look => ANNOUNCEMENTS[state] ?? UNKNOWN
export const nuisanceLook = (state: string): Look => NUISANCES[state] ?? UNKNOWN
export const knowledgeLook = (state: string): Look => KNOWLEDGE[state] ?? UNKNOWN
export const gapLook = (state: string): Look => GAPS[state] ?? UNKNOWN
export const reviewLook = (state: string): Look => REVIEWS[state] ?? UNKNOWN
export const intakeLook = (status: string): Look => INTAKES[status] ?? UNKNOWN
