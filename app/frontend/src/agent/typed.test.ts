import { expect, it } from 'vitest'
import { LIMITS, ownIn, plain } from './typed'
import type { Own } from './typed'

it('keeps pasted markup as the text that it is', () => {
  expect(plain('title', '<img src=x onerror=alert(1)>')).toEqual({ text: '<img src=x onerror=alert(1)>', cut: 0 })
})

it('takes out control characters, half characters and marks that turn a line around', () => {
  expect(plain('title', 'a\u0000b\u0007c\u202ed\u2066e\ud800f\u001b[31m').text).toBe('abcdef[31m')
  expect(plain('content', '一\r\n二\r三\t四').text).toBe('一\n二\n三\t四')
  expect(plain('caller_name', '王\n小\t明').text).toBe('王 小 明')
  expect(plain('address', 'e\u0301').text).toBe('é')
})

it('cuts what is too long and tells how much, an emoji being one character', () => {
  const { text, cut } = plain('caller_name', '王'.repeat(2000))
  expect([text.length, cut]).toEqual([64, 1936])
  expect(plain('caller_name', '😀'.repeat(64))).toEqual({ text: '😀'.repeat(64), cut: 0 })
  expect(plain('caller_name', '😀'.repeat(65))).toEqual({ text: '😀'.repeat(64), cut: 1 })
  expect(Object.values(LIMITS).every((most) => most > 0)).toBe(true)
})

const own: Own = { agent_id: '1001', names: ['王小丽'], numbers: ['12345', '0258888-0000'], address: '政务大厦 3 楼' }
const form = { caller_name: '张建国', caller_number: '13800138000', address: '翠竹园 3 栋' }

it('notices what is the agent’s own, however it is written, and nothing else', () => {
  expect(ownIn(form, own)).toEqual([])
  expect(ownIn({ ...form, caller_name: ' 王 小丽' }, own)).toEqual(['caller_name'])
  expect(ownIn({ caller_name: '1001', caller_number: '025-88880000', address: '政务大厦3楼' }, own)).toEqual(['caller_name', 'caller_number', 'address'])
  expect(ownIn({ ...form, caller_number: '１００１' }, own)).toEqual(['caller_number'])
  expect(ownIn({ caller_name: '', caller_number: '', address: '' }, { agent_id: '', names: [''], numbers: [''], address: '' })).toEqual([])
})
