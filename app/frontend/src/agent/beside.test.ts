import { nextTick, ref, shallowRef } from 'vue'
import { expect, it } from 'vitest'
import { gapOf, useHeld, wordsOf } from './beside'
import { EMPTY } from './draft/core'
import { placed } from './placing'
import { given, sourcesOf, taken } from './sources'

const told = (more: Partial<typeof EMPTY>): typeof EMPTY => ({ ...EMPTY, ...more })

it('asks for the title and the newest words, and later for what was heard', () => {
  expect(wordsOf(told({}))).toBe('')
  expect(wordsOf(told({ content: '停' }))).toBe('')
  expect(wordsOf(told({ title: '停水', content: '三天没有水' }))).toBe('停水 三天没有水')
  expect(wordsOf(told({ title: '停水' }), '水费怎么交')).toBe('停水 水费怎么交')
  const long = wordsOf(told({ title: '停水', content: `${'很早以前的事情。'.repeat(60)}现在要问公积金` }))
  expect(long.length).toBeLessThanOrEqual(200)
  expect(long.startsWith('停水 很早')).toBe(true)
  expect(long.endsWith('现在要问公积金')).toBe(true)
})

it('never asks for who calls, from where, or by which number', () => {
  const form = told({ title: '张建国反映停水', content: '住翠竹园3栋，电话13800138000', caller_name: '张建国', caller_number: '13800138000', address: '翠竹园3栋' })
  for (const text of [wordsOf(form, '我是张建国'), gapOf(form)]) for (const secret of ['张建国', '13800138000', '翠竹园3栋']) expect(text).not.toContain(secret)
  expect(gapOf(told({ content: '公积金怎么提。我在等' }))).toBe('公积金怎么提')
})

it('does not change a list under a pointer or a focus, and says that there is a newer one', async () => {
  const fresh = shallowRef([1, 2])
  const busy = ref(false)
  const held = useHeld(() => fresh.value, busy, (one) => one)
  expect(held.shown.value).toEqual([1, 2])
  busy.value = true
  fresh.value = [3]
  await nextTick()
  expect([held.shown.value, held.waiting.value]).toEqual([[1, 2], true])
  fresh.value = [1, 2]
  expect(held.waiting.value).toBe(false)
  fresh.value = [4]
  held.take()
  expect([held.shown.value, held.waiting.value]).toEqual([[4], false])
  fresh.value = [5]
  busy.value = false
  expect([held.shown.value, held.waiting.value]).toEqual([[5], false])
})

it('takes words over with their source, once, and gives both back', () => {
  const source = { article: 12, version: 3 }
  const first = taken({ answer: '', answer_source: '' }, source, '先储水。')
  expect(first).toEqual({ answer: '先储水。', answer_source: 'knowledge:12@3' })
  expect(taken(first, source, '先储水。')).toEqual(first)
  const both = taken(first, { article: 7, version: 1 }, '再报修。')
  expect(both).toEqual({ answer: '先储水。\n再报修。', answer_source: 'knowledge:12@3 knowledge:7@1' })
  expect(given(both, source, '先储水。')).toEqual({ answer: '再报修。', answer_source: 'knowledge:7@1' })
  expect(given({ ...both, answer: '自己写的' }, source, '先储水。')).toEqual({ answer: '自己写的', answer_source: 'knowledge:7@1' })
  expect(sourcesOf('knowledge:12@3 javascript:x knowledge:a@1')).toEqual([source])
  let many = first
  for (let article = 20; article < 30; article += 1) many = taken(many, { article, version: 1 }, `${article}`)
  expect(sourcesOf(many.answer_source)).toHaveLength(5)
})

it('keeps the house number that stands there when a road is chosen', () => {
  const place = { address: '翠竹园小区', area: '城南区' }
  expect(placed('翠竹', place)).toBe('翠竹园小区')
  expect(placed('翠竹园12号3单元', place)).toBe('翠竹园小区12号3单元')
  expect(placed('翠竹三号楼', place)).toBe('翠竹园小区三号楼')
  expect(placed('翠竹园A座1201', place)).toBe('翠竹园小区A座1201')
  expect(placed('翠竹园乙栋', place)).toBe('翠竹园小区乙栋')
})
