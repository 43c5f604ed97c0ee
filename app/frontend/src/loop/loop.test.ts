import { expect, it } from 'vitest'
import { shallowRef } from 'vue'
import type { CaseEvent } from '../api/types'
import { CASE_FORMS, caseActs, isUsual, leading, tree, workActs } from './acts'
import { usePicks } from './batch'
import { dueIn, dueText } from './due'
import { missing, nothing, shouldPropose, toSend } from './heard'
import type { Heard } from './heard'
import { told, unitOf, whyBack } from './history'
import type { ActedRow, BoardRow } from './types'

const NOW = Date.parse('2026-11-24T01:00:00Z')
const at = (minutes: number): string => new Date(NOW + minutes * 60_000).toISOString()
const dueTold = (minutes: number): string => dueText(dueIn(at(minutes), NOW)!)
const work = (id: number, more: Partial<ActedRow> = {}): ActedRow => ({ id, case_id: 1, unit_id: id * 10, unit: `U${id}`, parent_id: null, lead: false, way: 'written', state: 'dispatched', round: 1, returns: 0, version: 1, due_at: null, given_at: at(0), signed_at: null, replied_at: null, acts: [], ...more })

it('tells how long is left and how long something is late', () => {
  expect([30, 119, 3 * 60, 47 * 60, 72 * 60].map(dueTold)).toEqual(['还剩 30 分钟', '还剩 119 分钟', '还剩 3 小时', '还剩 47 小时', '还剩 3 天'])
  expect([-1, -125, -50 * 60].map(dueTold)).toEqual(['超期 1 分钟', '超期 2 小时', '超期 2 天'])
  expect(dueIn(null, NOW)).toBeNull()
})

it('never promises more time than is left, and marks late and nearly late by more than colour', () => {
  expect(dueTold(179)).toBe('还剩 2 小时')
  expect([-5, 60, 24 * 60].map((minutes) => dueIn(at(minutes), NOW)!.icon)).toEqual(['warning', 'clock', 'clock'])
  expect([-5, 60, 24 * 60].map((minutes) => dueIn(at(minutes), NOW)!.tone)).toEqual(['trouble', 'paused', 'away'])
})

it('offers the likeliest act first and another unit last', () => {
  const offered = (acts: string[], state: string, redo_proposed = false): string[] => caseActs({ acts, redo_proposed }, state)
  expect(offered(['merged', 'declined', 'sent_back', 'dispatched'], 'to_dispatch')).toEqual(['dispatched', 'declined', 'sent_back', 'merged'])
  expect(offered(['deferred', 'merged', 'dispatched'], 'signed')).toEqual(['dispatched', 'deferred', 'merged'])
  expect(offered(['dispatched', 'merged', 'return_upheld'], 'returned')).toEqual(['merged', 'dispatched'])
  expect(offered(['accepted', 'redo'], 'in_review')).toEqual(['accepted', 'redo'])
  expect(offered(['followed_up', 'closed', 'redo'], 'to_follow_up', true)).toEqual(['redo', 'closed', 'followed_up'])
  expect([isUsual('dispatched', []), isUsual('dispatched', [work(1)]), isUsual('merged', []), isUsual('accepted', [work(1)])]).toEqual([true, false, false, true])
  expect(offered(['edited', 'registered'], 'draft')).toEqual([])
})

it('has a form for every act that it offers, but for the two with a place of their own', () => {
  const all = [...Object.keys(CASE_FORMS), 'dispatched', 'followed_up']
  expect(caseActs({ acts: all, redo_proposed: false }, 'registered').sort()).toEqual(all.sort())
})

it('judges a unit’s result only while the case is with units, and never withdraws the leading one', () => {
  const all = ['accepted', 'redo', 'withdrawn', 'return_upheld', 'return_refused', 'signed']
  expect(workActs(work(1, { acts: all, lead: true }), 'replied')).toEqual(['return_refused', 'return_upheld'])
  expect(workActs(work(1, { acts: all }), 'in_progress')).toEqual(['return_refused', 'return_upheld', 'accepted', 'redo', 'withdrawn'])
})

it('stands units below the one that handed down to them', () => {
  const works = [work(1, { lead: true }), work(2), work(3, { parent_id: 1 }), work(4, { parent_id: 9 })]
  expect(tree(works).map((one) => [one.work.id, one.depth])).toEqual([[1, 0], [3, 1], [2, 0], [4, 0]])
  expect(leading(works)?.id).toBe(1)
  expect(leading([work(1, { lead: true, state: 'withdrawn' })])).toBeUndefined()
})

it('asks for an opinion and three answers when somebody was spoken to, and for why when they are not content', () => {
  const heard = nothing()
  expect(Object.keys(missing(heard))).toEqual(['satisfaction', 'solved', 'contacted_in_time', 'true_to_reality'])
  const yes: Heard = { ...heard, satisfaction: 'fair', solved: true, contacted_in_time: true, true_to_reality: true }
  expect(missing(yes)).toEqual({})
  expect(Object.keys(missing({ ...yes, satisfaction: 'dissatisfied' }))).toEqual(['note'])
  expect(Object.keys(missing({ ...yes, propose_redo: true }))).toEqual(['note'])
  expect(missing({ ...heard, reached: 'no_answer' })).toEqual({})
  const answers: Heard[] = [yes, { ...yes, solved: false }, { ...yes, satisfaction: 'very_dissatisfied' }]
  expect(answers.map(shouldPropose)).toEqual([false, true, true])
})

it('sends no opinion of somebody who was not spoken to', () => {
  const heard: Heard = { ...nothing(), satisfaction: 'fair', solved: true, note: ' 三次 ' }
  expect(toSend({ ...heard, reached: 'no_answer' }, 4, '')).toEqual({ version: 4, reached: 'no_answer', satisfaction: null, solved: null, contacted_in_time: null, true_to_reality: null, note: '三次', propose_redo: false, call_id: '' })
})

it('tells a line of history in words', () => {
  const event = (name: string, detail: Record<string, unknown>): CaseEvent => ({ at: at(0), actor: 'x', actor_name: 'x', event: name, from_state: null, to_state: null, detail })
  const names = new Map([[10, '水务局'], [20, '城管局']])
  expect(told(event('dispatched', { way: 'coordinated', urgency: 'life', units: [{ unit_id: 10, lead: true }, { unit_id: 20, lead: false }], items: ['路灯'] }), names)).toEqual(['协调办理、涉及生命财产安全', '水务局（主办）、城管局'])
  expect(told(event('accepted', { reason: '同意', opinion: '同意' }), names)).toEqual(['同意'])
  expect(told(event('followed_up', { reached: 'spoken', satisfaction: 'satisfied', solved: true, note: '' }), names)).toEqual(['已回访、满意', '已解决：是'])
  expect(told(event('edited', { fields: ['title', 'area'] }), names)).toEqual(['标题、区域'])
  expect(told(event('answered', { way: 'answer', answer: '已告知' }), names)).toEqual(['已告知'])
  const back = (assignment: number, reason: string): CaseEvent => event('unit.returned', { assignment, reason })
  expect(whyBack([back(1, '一'), back(1, '二'), back(2, '三')], 1)).toBe('二')
  expect(unitOf(event('unit.signed', { unit_id: 20 }), names)).toBe('城管局')
})

it('chooses one, a range from the last one, and no more than the server takes', () => {
  const rows = shallowRef(Array.from({ length: 120 }, (_, at) => ({ id: at + 1, version: 1 }) as BoardRow))
  const picks = usePicks(() => rows.value)
  picks.toggle(2)
  picks.range(5)
  picks.toggle(3)
  expect(picks.chosen.value.map((row) => row.id)).toEqual([2, 4, 5])
  picks.all()
  expect([picks.chosen.value.length, picks.full.value]).toEqual([100, true])
  rows.value = rows.value.map((row) => ({ ...row, version: row.id === 2 ? 7 : 1 }))
  expect(picks.chosen.value.find((row) => row.id === 2)!.version).toBe(7)
  picks.clear()
  expect(picks.chosen.value).toEqual([])
})
