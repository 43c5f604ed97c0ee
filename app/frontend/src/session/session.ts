// Who is signed in, and what they may see.
import { computed, ref } from 'vue'
import { api, csrf, onSignedOut } from '../api/http'
import type { Me } from '../api/types'
import { learnClock, leave } from '../realtime/store'

export const me = ref<Me | null>(null)
/** True once the server has been asked who is signed in. */
export const asked = ref(false)
/** True when a login ended while somebody was working. */
export const expired = ref(false)
export const demoRuns = ref(false)

function become(next: Me | null): void {
  me.value = next
  csrf.value = next?.csrf ?? ''
  // Who has no live link still reads times by the server's clock.
  if (next) learnClock(next.server_ms)
}

onSignedOut(() => {
  if (!me.value) return
  expired.value = true
  become(null)
})

/** Asks who is signed in. Throws ApiError only when the server cannot say. */
export async function askWho(): Promise<Me | null> {
  try {
    become(await api<Me>('/me', { quiet401: true }))
  } catch (error) {
    if ((error as { status?: number }).status !== 401) throw error
    become(null)
  }
  asked.value = true
  return me.value
}

export async function signIn(name: string, password: string): Promise<Me> {
  const next = await api<Me>('/login', { method: 'POST', body: { name, password }, quiet401: true })
  become(next)
  asked.value = true
  expired.value = false
  return next
}

/** A new CSRF value and the cleared mark come with the next question who this is. */
export async function changePassword(old: string, fresh: string): Promise<void> {
  await api('/me/password', { method: 'POST', body: { old, new: fresh } })
  await askWho()
}

export async function signOut(): Promise<void> {
  await api('/logout', { method: 'POST' }).catch(() => undefined)
  leave()
  become(null)
}

/** Whether this server runs the demonstration; asked once a login. */
export async function askDemo(): Promise<void> {
  demoRuns.value = await api('/demo', { quiet401: true }).then(
    () => true,
    () => false,
  )
}

export type Area = 'agent' | 'wallboard' | 'cases' | 'calls' | 'voicemails' | 'faxes' | 'callbacks' | 'announcements' | 'campaigns' | 'wishes' | 'knowledge' | 'rules' | 'units' | 'boards' | 'followUp' | 'work' | 'chases' | 'urgent' | 'extensions' | 'roster' | 'admin' | 'state' | 'audit' | 'recordings' | 'quality' | 'assess' | 'qualityRules' | 'room' | 'audits' | 'flows'

const LEADING = ['supervisor', 'duty_leader', 'section_head', 'quality', 'city_leader']
const NEEDS: Record<Exclude<Area, 'agent' | 'quality' | 'qualityRules' | 'recordings' | 'audits'>, string> = {
  wallboard: 'wallboard.read',
  cases: 'cases.read',
  calls: 'calls.read',
  voicemails: 'messages.read',
  faxes: 'messages.read',
  callbacks: 'callbacks.handle',
  announcements: 'announcements.write',
  campaigns: 'campaigns.read',
  wishes: 'wishes.note',
  knowledge: 'knowledge.read',
  rules: 'rules.read',
  units: 'units.read',
  boards: 'cases.read',
  followUp: 'cases.follow_up',
  work: 'work.handle',
  chases: 'cases.read',
  urgent: 'cases.read',
  extensions: 'extensions.decide',
  roster: 'roster.read',
  admin: 'users.manage',
  state: 'system.read',
  audit: 'audit.read',
  assess: 'quality.assess',
  room: 'agents.control',
  flows: 'flows.read',
}

/** What the page offers; the server decides by itself what it answers. */
export function mayOpen(area: Area): boolean {
  const who = me.value
  if (!who) return false
  if (area === 'quality') return may('quality.read') || (may('quality.own') && who.agent !== null)
  if (area === 'qualityRules') return may('quality.review') || may('quality.rules')
  if (area === 'audits') return may('number_audits.read') || may('number_audits.own')
  if (area === 'recordings') return may('recordings.listen') || may('recordings.own')
  return area === 'agent' ? who.agent !== null : may(NEEDS[area])
}

export const may = (permission: string): boolean => me.value?.user.permissions?.includes(permission) ?? false

/** Where a login leads: agents to their desk, leaders to the wallboard, administrators to their lists, people of units to their inbox. */
export const home = computed(() => {
  const who = me.value
  if (!who) return '/login'
  if (who.agent) return '/agent'
  if (who.user.roles.includes('admin')) return '/admin/agents'
  if (who.user.roles.some((role) => LEADING.includes(role))) return '/wallboard'
  return mayOpen('work') && !mayOpen('cases') ? '/work' : '/cases'
})
