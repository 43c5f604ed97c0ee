// What the bar on top leads to, for whoever is signed in: in the order of the bar, each under one of four headings for what
// does not stand in the bar itself.
import { demoRuns, may, mayOpen, me } from '../session/session'
import type { Key } from '../i18n'

export const GROUPS = ['desk', 'cases', 'quality', 'office'] as const
export type Group = (typeof GROUPS)[number]

export interface Entry {
  to: string
  key: Key
  icon: string
  group: Group
  /** Addresses that belong to it as well. */
  also?: string[]
}

/** Agents find what they have to do at their desk; the others go by the boards, of which following up is one. */
const worksBoards = (): boolean => mayOpen('boards') && (may('cases.dispatch') || !may('calls.handle'))

const ALL: (Entry & { shown: () => boolean })[] = [
  { to: '/agent', key: 'nav.agent', icon: 'phone', group: 'desk', shown: () => mayOpen('agent') },
  { to: '/room', key: 'nav.room', icon: 'people', group: 'desk', shown: () => mayOpen('room') },
  { to: '/wallboard', key: 'nav.wallboard', icon: 'board', group: 'desk', shown: () => mayOpen('wallboard') },
  { to: '/work', key: 'nav.work', icon: 'pen', group: 'cases', shown: () => mayOpen('work') },
  { to: '/cases', key: 'nav.cases', icon: 'file', group: 'cases', shown: () => mayOpen('cases') },
  { to: '/boards', key: 'nav.boards', icon: 'transfer', group: 'cases', shown: worksBoards },
  { to: '/follow-up', key: 'nav.followUp', icon: 'ringing', group: 'cases', shown: () => mayOpen('followUp') && !worksBoards() },
  { to: '/chases', key: 'nav.chases', icon: 'flag', group: 'cases', shown: worksBoards, also: ['/extensions', '/urgent'] },
  { to: '/calls', key: 'nav.calls', icon: 'clock', group: 'desk', shown: () => mayOpen('calls'), also: ['/recordings'] },
  { to: '/quality', key: 'nav.quality', icon: 'search', group: 'quality', shown: () => mayOpen('quality'), also: ['/number-audits'] },
  { to: '/number-audits', key: 'nav.audits', icon: 'ringing', group: 'quality', shown: () => mayOpen('audits') && !mayOpen('quality') },
  { to: '/voicemails', key: 'nav.voicemails', icon: 'voicemail', group: 'desk', shown: () => mayOpen('voicemails') },
  { to: '/faxes', key: 'nav.faxes', icon: 'fax', group: 'desk', shown: () => mayOpen('faxes') },
  { to: '/callbacks', key: 'nav.callbacks', icon: 'callback', group: 'desk', shown: () => mayOpen('callbacks') },
  { to: '/campaigns', key: 'nav.campaigns', icon: 'ringing', group: 'desk', shown: () => mayOpen('campaigns'), also: ['/contact-wishes'] },
  { to: '/announcements', key: 'nav.announcements', icon: 'speaker', group: 'desk', shown: () => mayOpen('announcements') },
  { to: '/knowledge', key: 'nav.knowledge', icon: 'book', group: 'quality', shown: () => mayOpen('knowledge') },
  { to: '/roster', key: 'nav.roster', icon: 'cup', group: 'office', shown: () => mayOpen('roster') },
  { to: '/rules', key: 'nav.rules', icon: 'shield', group: 'office', shown: () => mayOpen('rules') },
  { to: '/units', key: 'nav.units', icon: 'people', group: 'office', shown: () => mayOpen('units') },
  { to: '/admin', key: 'nav.admin', icon: 'gear', group: 'office', shown: () => mayOpen('admin') || mayOpen('audit') },
  { to: '/demo', key: 'nav.demo', icon: 'play', group: 'office', shown: () => demoRuns.value },
]

/** The entries of whoever is signed in. */
export const entries = (): Entry[] => (me.value ? ALL.filter((one) => one.shown()) : [])

/** Whether an address is one of the entry's pages. */
export const leadsTo = (entry: Entry, path: string): boolean => [entry.to, ...(entry.also ?? [])].some((to) => `${path}/`.startsWith(`${to}/`))
