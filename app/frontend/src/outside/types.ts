// What the server tells of outside systems (app/machines, app/pushes, app/certificates).
import { cityInput } from '../api/format'
import type { Look } from '../ui/looks'

export const SCOPES = ['calls.read', 'calls.control', 'push', 'confidential.read'] as const
export const EVENTS = ['newCall', 'answer', 'hangup'] as const
export const EVERYBODY = '*'

export interface Machine {
  id: number
  name: string
  hint: string
  scopes: string[]
  agents: string[]
  sources: string[]
  expires_at: string
  created_at: string
  revoked_at: string | null
  last_used_at: string | null
  last_address: string
}

export interface PushAddress {
  id: number
  machine_id: number
  url: string
  events: string[]
  signed: boolean
  active: boolean
  waiting: number
  dead: number
}

export interface PushJob {
  id: number
  address_id: number
  call_id: string
  event: string
  agent_id: string | null
  state: string
  tries: number
  fault: string
  at: string
  next_at: string | null
  done_at: string | null
}

export interface Alarm {
  id: number
  code: string
  detail: Record<string, unknown>
  raised_at: string
  last_at: string
  times: number
}

export interface Certificate {
  file: string
  kind: string
  state: string
  days: number | null
  ends_at: string | null
}

/** The last day on which something holds that ends at `moment`, in the city's time. */
export const lastDay = (moment: string): string => cityInput(Date.parse(moment) - 1000).slice(0, 10)

/** What stands between spaces, commas or lines. */
export const parts = (text: string): string[] => text.split(/[\s,，、;；]+/).filter(Boolean)

const JOBS: Record<string, Look> = {
  waiting: { tone: 'paused', icon: 'clock' },
  sent: { tone: 'ready', icon: 'ready' },
  refused: { tone: 'trouble', icon: 'error' },
  given_up: { tone: 'trouble', icon: 'warning' },
  off: { tone: 'away', icon: 'close' },
}
export const jobLook = (state: string): Look => JOBS[state] ?? { tone: 'away', icon: 'info' }
export const isDead = (job: PushJob): boolean => job.state === 'refused' || job.state === 'given_up'

/** Whether a system may come in: by the server's words, and by the clock of the page for the end. */
export function standing(machine: Machine, now: number): 'revoked' | 'expired' | 'inForce' {
  if (machine.revoked_at) return 'revoked'
  return Date.parse(machine.expires_at) <= now ? 'expired' : 'inForce'
}
const STANDINGS: Record<ReturnType<typeof standing>, Look> = {
  inForce: { tone: 'ready', icon: 'ready' },
  expired: { tone: 'paused', icon: 'clock' },
  revoked: { tone: 'away', icon: 'lock' },
}
export const standingLook = (which: ReturnType<typeof standing>): Look => STANDINGS[which]

export const certificateLook = ({ state, days }: Certificate): Look => {
  if (state === 'ok') return { tone: 'ready', icon: 'ready' }
  return days === null || days <= 7 || state === 'lapsed' || state === 'unreadable' ? { tone: 'trouble', icon: 'warning' } : { tone: 'paused', icon: 'clock' }
}
