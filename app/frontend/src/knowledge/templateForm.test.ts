import { expect, it } from 'vitest'
import { blank, toSend, withPlaceholder, written } from './templateForm'
import type { Template } from './templateForm'

it('sends only the texts of its use, and an outcome that this use has', () => {
  const form = { ...blank(), title: '咨询', use: 'answer' as const, outcome: 'solved', keywords: '路灯，照明', parts: { result: '旧的', answer: '您好' } }
  expect(toSend(form)).toMatchObject({ use: 'answer', outcome: 'explained', parts: { answer: '您好' }, keywords: ['路灯', '照明'] })
})

it('begins with the newest version, and asks anew what was changed', () => {
  const version = { number: 2, title: '路灯', outcome: 'solved', types: ['complaint'], keywords: ['路灯', '照明'], parts: { result: '已修复' }, note: '改了措辞', written_by_name: null, written_at: '' }
  const template: Template = { id: 1, owner_unit_id: 3, unit_name: '城管局', use: 'reply', state: 'active', version: 2, title: '路灯', outcome: 'solved', types: [], keywords: [], written_by_name: null, written_at: '', acts: ['edit'], reason: '', changed_by_name: null, changed_at: '', versions: [version] }
  expect(written(template)).toMatchObject({ keywords: '路灯 照明', note: '', unit_id: 3, types: ['complaint'], parts: { result: '已修复', measures: '' } })
})

it('puts a placeholder where the cursor is, also behind the end', () => {
  expect(withPlaceholder('您好，', 2, '工单编号')).toEqual({ text: '您好{工单编号}，', at: 8 })
  expect(withPlaceholder('您好', 99, '今天')).toEqual({ text: '您好{今天}', at: 6 })
})
