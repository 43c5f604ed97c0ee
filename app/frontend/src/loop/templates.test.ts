import { describe, expect, it } from 'vitest'
import { named, put, remember, sought, sourcesIn, undone } from './templates'
import type { Offer } from './templates'

const MOST = { result: 40, measures: 40 }
const LAMP: Offer = { id: 12, version: 3, source: 'template:12@3', title: '路灯已修复', outcome: 'solved', unit_name: '城管局', fits: true, words: ['路灯'], parts: { result: '已修复路灯。', measures: '更换灯泡。' } }
const fields = { result: '', measures: '夜间巡查。', next_step: '', template_source: '' }

describe('the words of a template', () => {
  it('go behind what is there, name where they came from, and are not put twice', () => {
    const once = put(fields, LAMP, MOST)
    expect(once).toEqual({ fields: { result: '已修复路灯。', measures: '夜间巡查。\n更换灯泡。', template_source: 'template:12@3' }, full: '' })
    const after = { ...fields, ...once.fields }
    expect(put(after, LAMP, MOST).fields).toEqual({ template_source: 'template:12@3' })
  })

  it('change nothing at all where one of them has no room', () => {
    expect(put({ ...fields, measures: '长'.repeat(38) }, LAMP, MOST)).toEqual({ fields: {}, full: 'measures' })
  })

  it('are taken out again but where somebody has written on', () => {
    const done = put(fields, LAMP, MOST)
    const now = { ...fields, ...done.fields, result: '已修复路灯，共 6 盏。' }
    expect(undone(now, fields, done)).toEqual({ measures: '夜间巡查。', template_source: '' })
  })

  it('are found by their name, outcome, unit or text', () => {
    const offers = [LAMP, { ...LAMP, id: 7, title: '一般事项', outcome: 'refused', unit_name: '', parts: { result: '不予支持' } }]
    const find = (typed: string): number[] => sought(offers, typed, (of) => of.outcome).map((one) => one.id)
    expect([find(''), find('路灯 城管'), find('REFUSED'), find('支持'), find('没有')]).toEqual([[12, 7], [12], [7], [7], []])
  })
})

describe('where words came from', () => {
  it('is read from a line, whatever else stands in it', () => {
    expect(sourcesIn('template:12@3 knowledge:4@1 template:x@1 template:7@10')).toEqual([
      { id: 12, version: 3 },
      { id: 7, version: 10 },
    ])
  })

  it('keeps the last four, the newest version of each', () => {
    let line = 'template:12@2'
    for (const id of [1, 2, 12, 3]) line = put({ template_source: line }, { ...LAMP, id, version: 9, source: `template:${id}@9`, parts: {} }, {}).fields.template_source!
    expect(line).toBe('template:1@9 template:2@9 template:12@9 template:3@9')
  })

  it('is told by name once that is known', () => {
    expect(named('template:12@3')[0]!.title).toBe('')
    remember(LAMP)
    expect(named('template:12@3')[0]).toEqual({ id: 12, version: 3, title: '路灯已修复', unit_name: '城管局' })
    expect(named('template:5@1', [{ id: 5, version: 1, title: '停水', unit_name: '' }])[0]!.title).toBe('停水')
  })
})
