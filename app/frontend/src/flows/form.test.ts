import { expect, it } from 'vitest'
import { bodyOf, draftOf, FIELDS, missing } from './form'
import type { Body, Kind } from './types'

const BODIES: [Kind, Body][] = [
  ['menu', { about: 'why', kind: 'menu', say: ['main_menu'], keys: { 0: 'person', 110: 'police' }, silence: 'person', timeout_s: 2.5, into: 'choice' }],
  ['number', { kind: 'number', say: ['case_number_ask'], into: 'pin', digits: [6, 6], next: 'case', wrong: 'pin_wrong', silence: 'person' }],
  ['branch', { kind: 'branch', on: 'open', yes: 'queue', no: 'closed' }],
  ['set', { kind: 'set', priority: 0, skills: { yue: 1 }, warn: true, remember: { pin: '' }, next: 'case' }],
  ['lookup', { kind: 'lookup', of: 'unit', say: ['please_wait'], outcomes: { open: 'unit_open' }, otherwise: 'person' }],
  ['end', { kind: 'end', next: 'transfer', transfer_to: '110' }],
]

it.each(BODIES)('gives a %s back as it was when nothing was typed', (kind, body) => {
  expect(bodyOf(draftOf(kind, body, ['open', 'closed']), body)).toEqual(body)
  expect(missing(draftOf(kind, body))).toEqual([])
})

it('keeps what it does not know, unless it becomes another kind of node', () => {
  const body = { kind: 'end', next: 'queue', later: { x: 1 } }
  expect(bodyOf(draftOf('end', body), body)).toEqual(body)
  expect(bodyOf(draftOf('branch', {}), body)).toEqual({ kind: 'branch', on: '', yes: '', no: '' })
})

it('reads what people type and leaves out what is empty', () => {
  const draft = draftOf('menu', {})
  draft.lists.say = [' greeting ', '']
  draft.pairs.keys = [{ key: '１', value: 'main' }, { key: '2', value: '' }, { key: '', value: 'x' }]
  draft.texts.silence = 'person'
  draft.texts.timeout_s = '４.5'
  expect(bodyOf(draft, {})).toEqual({ kind: 'menu', say: ['greeting'], keys: { 1: 'main' }, silence: 'person', timeout_s: 4.5 })
  draft.texts.timeout_s = 'soon'
  expect(bodyOf(draft, {}).timeout_s).toBe('soon')
})

it('offers a line for every outcome of a lookup, and says what is missing', () => {
  const draft = draftOf('lookup', { of: 'unit', outcomes: { closed: 'shut', gone: '' } }, ['open', 'closed'])
  expect(draft.pairs.outcomes).toEqual([{ key: 'closed', value: 'shut' }, { key: 'open', value: '' }])
  expect(missing(draft)).toEqual(['otherwise'])
  expect(missing(draftOf('number', {}))).toEqual(['say', 'into', 'digits', 'next', 'silence'])
  expect(missing(draftOf('menu', { say: ['x'], silence: 'p' }))).toEqual(['keys'])
})

it('knows every field once', () => {
  for (const fields of Object.values(FIELDS)) expect(new Set(fields.map((one) => one.name)).size).toBe(fields.length)
})
