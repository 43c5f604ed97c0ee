// What can be done to a case and to a unit's share of it: which request, what must be said with it, and in which order it is
// offered. The server says what the person may do (`acts`); nothing here allows anything.
import type { ActedRow, Loop } from './types'

export type FieldName = 'answer' | 'reason' | 'remark' | 'told' | 'opinion' | 'ground' | 'unit' | 'about' | 'call' | 'urgency' | 'until' | 'original' | 'units' | 'sealed'

export interface ActForm {
  /** The end of the request's address. */
  path: string
  fields: FieldName[]
  /** Nothing has to be said. */
  free?: boolean
}

/** What may stay empty. */
export const OPTIONAL = new Set<FieldName>(['remark', 'about', 'urgency', 'units'])

/** The acts on a case that a dialog asks about. Dispatching has a dialog, asking the citizen a page of its own. */
export const CASE_FORMS: Record<string, ActForm> = {
  answered: { path: 'answer', fields: ['answer'] },
  guided: { path: 'guide', fields: ['answer'] },
  referred: { path: 'refer', fields: ['unit', 'remark'] },
  transferred: { path: 'transfer', fields: ['unit', 'answer', 'call'] },
  declined: { path: 'decline', fields: ['ground', 'told'] },
  reopened: { path: 'reopen', fields: ['reason'] },
  submitted: { path: 'submit', fields: ['urgency', 'about'] },
  sent_back: { path: 'send-back', fields: ['reason'] },
  review_begun: { path: 'review', fields: [] },
  accepted: { path: 'accept', fields: ['opinion'] },
  redo: { path: 'redo', fields: ['units', 'reason'] },
  deferred: { path: 'defer', fields: ['reason', 'until'] },
  resumed: { path: 'resume', fields: [] },
  merged: { path: 'merge', fields: ['original'] },
  unmerged: { path: 'unmerge', fields: ['reason'] },
  taken_back: { path: 'take-back', fields: ['reason'] },
  closed: { path: 'close', fields: ['reason'] },
  archived: { path: 'archive', fields: [] },
}

/** The acts on a unit's share: the unit's own, then those of whoever gave it. Handing down and handing in have forms of their own. */
export const WORK_FORMS: Record<string, ActForm> = {
  signed: { path: 'sign', fields: [] },
  started: { path: 'start', fields: [] },
  returned: { path: 'return', fields: ['reason'] },
  reworked: { path: 'rework', fields: ['reason'] },
  replied: { path: 'approve', fields: ['opinion', 'sealed'] },
  return_refused: { path: 'refuse-return', fields: ['reason'] },
  return_upheld: { path: 'uphold-return', fields: ['reason'], free: true },
  accepted: { path: 'accept', fields: ['opinion'] },
  redo: { path: 'redo', fields: ['reason'] },
  withdrawn: { path: 'withdraw', fields: ['reason'] },
}

const JUDGEMENTS = ['return_refused', 'return_upheld', 'accepted', 'redo', 'withdrawn']

/** What the server calls a field in a request's body. */
export const BODY: Record<FieldName, string> = {
  answer: 'text',
  reason: 'reason',
  remark: 'remark',
  told: 'told',
  opinion: 'opinion',
  ground: 'ground',
  unit: 'unit_id',
  about: 'about_unit_id',
  call: 'call_id',
  urgency: 'urgency',
  until: 'until',
  original: 'original',
  units: 'units',
  sealed: 'seal',
}

const WITH_UNITS = new Set(['dispatched', 'signed', 'in_progress', 'redo'])
/** The likeliest next step first; what takes a case off its way last. */
const USUAL = ['review_begun', 'accepted', 'followed_up', 'dispatched', 'submitted', 'answered', 'guided', 'transferred', 'declined', 'resumed', 'archived', 'redo']
const RARE = ['referred', 'sent_back', 'closed', 'deferred', 'merged', 'unmerged', 'reopened', 'taken_back']
const ORDER = [...USUAL, ...RARE]

/** What the person is offered on the case's page, the likeliest first. */
export function caseActs(loop: Pick<Loop, 'acts' | 'redo_proposed'>, state: string): string[] {
  const known = loop.acts.filter((act) => ORDER.includes(act))
  const first = (act: string): number => {
    if (loop.redo_proposed && (act === 'redo' || act === 'closed')) return act === 'redo' ? -2 : -1
    // With a unit, or before a judgement, another unit is the exception; yet likelier than what takes the case off its way.
    if (act === 'dispatched' && state !== 'to_dispatch') return WITH_UNITS.has(state) ? USUAL.length - 0.5 : ORDER.length
    if (act === 'accepted' && state === 'in_review') return -1
    return ORDER.indexOf(act)
  }
  return known.sort((a, b) => first(a) - first(b))
}

/** Whether the act is the way on, to be shown large. */
export const isUsual = (act: string, works: ActedRow[]): boolean => USUAL.includes(act) && !(act === 'dispatched' && given(works).length > 0)

/** What the centre is offered on a unit's share: a result is judged there only while the case itself is still with units. */
export function workActs(work: ActedRow, state: string): string[] {
  return JUDGEMENTS.filter((act) => {
    if (!work.acts.includes(act)) return false
    if (act === 'withdrawn') return !(work.lead && work.parent_id === null)
    return act === 'accepted' || act === 'redo' ? WITH_UNITS.has(state) : true
  })
}

/** The units of a case that have it now, those above before those below, each with its depth from 0. */
export function tree(works: ActedRow[]): { work: ActedRow; depth: number }[] {
  const below = (parent: number | null, depth: number): { work: ActedRow; depth: number }[] =>
    works.filter((work) => under(work, works) === parent).flatMap((work) => [{ work, depth }, ...below(work.id, depth + 1)])
  return below(null, 0)
}

/** Somebody who may not see the unit above sees this one at the top. */
const under = (work: ActedRow, works: ActedRow[]): number | null => (works.some((one) => one.id === work.parent_id) ? work.parent_id : null)

/** The unit that leads now. */
export const leading = (works: ActedRow[]): ActedRow | undefined => works.find((work) => work.lead && work.parent_id === null && work.state !== 'withdrawn')
/** Every unit that the centre gave it to and that still has it. */
export const given = (works: ActedRow[]): ActedRow[] => works.filter((work) => work.parent_id === null && work.state !== 'withdrawn')
