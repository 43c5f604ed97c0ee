import { beforeEach, describe, expect, it } from 'vitest'
import { EMPTY } from './draft/core'
import { changeOf, keyOf, together, undone } from './suggestions'
import type { Suggestion } from './suggestions'
import { beginWith, forgetHeard, giveBack, heardLive, heardStored, isSettled, open, settle, sum, take, wordsOf } from './suggesting'

const one = (kind: Suggestion['kind'], value: string, more: Partial<Suggestion> = {}): Suggestion => ({ kind, value, label: '', quote: value, start_ms: 1000, end_ms: 2000, confidence: 0.9, source: 'live:1', audio_url: null, ...more })
const NUMBER = one('telephone', '13800138000')
const TIME = one('moment', '2026-11-23T15:00', { quote: '昨天下午三点' })

describe('where a suggestion goes', () => {
  it.each([
    [NUMBER, {}, 'caller_number', '13800138000'],
    [NUMBER, { caller_number: '138 0013 8000' }, null, ''],
    [NUMBER, { caller_number: '139', content: '停水' }, 'content', '停水\n另留电话：13800138000'],
    [NUMBER, { caller_number: '139', content: '打 138-0013-8000' }, null, ''],
    [one('address', '人民路120号'), {}, 'address', '人民路120号'],
    [one('address', '人民路120号'), { address: '城南区人民路 120号' }, null, ''],
    [one('address', '人民路120号'), { address: '文化路' }, 'content', '地点：人民路120号'],
    [one('name', '王'), { caller_name: '张建国' }, null, ''],
    [one('type', 'complaint'), { type: 'help' }, null, ''],
    [one('unit', 'WATER'), {}, 'proposed_unit', 'WATER'],
    [one('area', '城南区'), { area: '城北区' }, null, ''],
    [one('matter', '停水三天'), { content: ' \n' }, 'content', '停水三天'],
    [one('matter', '停水三天'), { content: '我写的' }, null, ''],
    [TIME, { content: '我写的 ' }, 'content', '我写的\n时间：2026-11-23 15:00（昨天下午三点）'],
    [TIME, { content: '时间：2026-11-23 15:00' }, null, ''],
  ])('%o with %o', (suggestion, form, field, after) => {
    const change = changeOf(suggestion, { ...EMPTY, ...form })
    expect(change?.field ?? null).toBe(field)
    if (change) expect(change.after).toBe(after)
  })

  it('never loses a word that stands there', () => {
    for (const kind of ['matter', 'type', 'name', 'telephone', 'area', 'address', 'unit', 'moment', 'other_telephone', 'case_number'] as const) {
      const form = { ...EMPTY, type: 'help', content: '写的', caller_name: '名', caller_number: '1', area: '区', address: '址', proposed_unit: 'U' }
      const change = changeOf(one(kind, '新的'), form)
      if (change) expect(change.after.startsWith(form[change.field])).toBe(true)
    }
  })
})

it('is taken back as it was, or without its line, and not where somebody has changed it', () => {
  const change = changeOf(TIME, { ...EMPTY, content: '甲' })!
  expect(undone(change, { ...EMPTY, content: change.after })).toBe('甲')
  expect(undone(change, { ...EMPTY, content: `${change.after}\n乙` })).toBe('甲\n乙')
  expect(undone(change, { ...EMPTY, content: '丙' })).toBeNull()
  const name = changeOf(one('name', '王'), EMPTY)!
  expect(undone(name, { ...EMPTY, caller_name: '王芳' })).toBeNull()
})

it('the same value of two sources is told from where it can be heard, in the order of the card', () => {
  const sound = { source: 'voicemail:1', audio_url: '/x' }
  const all = together([TIME, NUMBER], [{ ...NUMBER, ...sound }, one('type', 'help')])
  expect(all.map((it) => [it.kind, it.audio_url])).toEqual([['type', null], ['telephone', '/x'], ['moment', null]])
  expect(keyOf(one('matter', '停水'))).toBe(keyOf(one('matter', '停水三天')))
})

describe('what was settled', () => {
  beforeEach(() => {
    const kept = new Map<string, string>()
    Object.assign(globalThis, { sessionStorage: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) } })
    forgetHeard()
    beginWith('h-1.1')
  })

  it('is not offered again, also by a page that begins anew, and never in plain words', () => {
    heardLive('h-1.1', [NUMBER, TIME])
    settle(NUMBER)
    expect(open(EMPTY).map((it) => it.kind)).toEqual(['moment'])
    forgetHeard()
    beginWith('h-1.1')
    heardLive('h-1.1', [{ ...NUMBER, start_ms: 9000 }, TIME])
    expect(open(EMPTY).map((it) => it.kind)).toEqual(['moment'])
    expect(sessionStorage.getItem('hotline.suggestions')).not.toContain('138')
    beginWith('h-2.1')
    heardLive('h-2.1', [NUMBER])
    expect(open(EMPTY)).toHaveLength(1)
  })

  it('is taken once, taken back once, and then stays away', () => {
    heardStored('h-1.1', [TIME])
    const change = take(TIME, EMPTY)!
    expect(take(TIME, { ...EMPTY, content: change.after })).toBeNull()
    expect(giveBack(TIME, { ...EMPTY, content: change.after })).toEqual({ field: 'content', value: '' })
    expect(giveBack(TIME, EMPTY)).toBeNull()
    expect(isSettled(TIME)).toBe(true)
    expect(open(EMPTY)).toEqual([])
  })

  it('belongs to its case: what comes late for another one is dropped', () => {
    heardLive('h-9.9', [NUMBER])
    expect(open(EMPTY)).toEqual([])
    expect(sum('telephone 13800138000')).not.toBe(sum('telephone 13800138001'))
  })
})

it('only what the citizen has said for good is asked about, as much as is taken', () => {
  const words = (text: string, more = {}): never => ({ side: 'citizen', segment: 1, start_ms: 5, text, final: true, ...more }) as never
  expect(wordsOf([words('您好', { side: 'agent' }), words('停', { final: false })])).toBeNull()
  expect(wordsOf([words('停水'.repeat(300)), words('一')])).toEqual([{ segment: 1, start_ms: 5, text: '停水'.repeat(250) }, { segment: 1, start_ms: 5, text: '一' }])
  expect(wordsOf(Array.from({ length: 250 }, () => words('水')))).toHaveLength(200)
})
