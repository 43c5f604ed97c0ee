import { describe, expect, it } from 'vitest'
import { blank, carriedOver, earlier, fieldsOf, present, toSend } from './reply'
import type { Reply } from './types'

const ASKED = {
  items: [
    { id: '7', text: '路灯' },
    { id: '8', text: '井盖' },
  ],
  papers: [{ id: 'voicemail:3', name: 'voicemail 3' }],
}
const REPLY: Reply = {
  round: 1,
  version: 4,
  state: 'approved',
  result: '已修复',
  measures: '换灯泡',
  next_step: '',
  letter: '',
  answers: { 7: '已亮' },
  papers: { 'voicemail:3': '已听' },
  contact: 'phone',
  contacted_at: '2026-11-24T01:00:00.000Z',
  opinion: 'satisfied',
  opinion_why: '',
  signed_name: '李工',
  template_source: '',
  sources: [],
  signed_at: null,
  sealed: true,
  leader_opinion: '同意',
  leader_name: '王',
  leader_at: null,
}

describe('a reply as fields', () => {
  it('has a field for each thing that is asked and each attachment', () => {
    expect(Object.keys(blank(ASKED)).filter((name) => name.includes('.'))).toEqual(['answers.7', 'answers.8', 'papers.voicemail:3'])
    expect({ ...blank(ASKED), ...fieldsOf(REPLY) }).toMatchObject({ 'answers.7': '已亮', 'answers.8': '', 'papers.voicemail:3': '已听', opinion: 'satisfied' })
  })

  it('sends all answers when one of them changed, and none when none did', () => {
    const all = { ...blank(ASKED), ...fieldsOf(REPLY), 'answers.8': '已盖' }
    expect(toSend({ 'answers.8': '已盖' }, all)).toEqual({ answers: { 7: '已亮', 8: '已盖' } })
    expect(toSend({ result: '已修复' }, all)).toEqual({ result: '已修复' })
  })

  it('sends nothing chosen as null and an emptied text as empty', () => {
    expect(toSend({ opinion: '', contacted_at: '', result: '' }, blank(ASKED))).toEqual({ opinion: null, contacted_at: null, result: '' })
  })
})

describe('rounds', () => {
  const second = { round: 2, replies: [REPLY] }

  it('keeps the earlier reply apart from the one that is written now', () => {
    expect(present(second)).toBeNull()
    expect(earlier(second)).toEqual([REPLY])
    expect(present({ round: 1, replies: [REPLY] })).toBe(REPLY)
  })

  it('begins a new round with what the unit did, never with what the citizen thought of it', () => {
    expect(carriedOver(REPLY, blank(ASKED))).toEqual({ result: '已修复', measures: '换灯泡', signed_name: '李工', 'answers.7': '已亮', 'papers.voicemail:3': '已听' })
  })
})
