import { expect, it } from 'vitest'
import { sayings } from '../agent/phrases'
import type { Phrase } from '../agent/phrases'
import { hintLook, isWell, sayHint } from './hints'
import { blankPhrase, draftsOf, toSend, windowOf } from './phrases'
import type { Hint } from './types'

const greeting: Phrase = { code: 'greeting', kind: 'required', language: 'zh', zh: '问候', en: 'greeting', variants: ['您好', '你好'], where: 'begin', seconds: 10, unless: [], say: '您好，工号 {id}' }
const rude: Phrase = { ...greeting, code: 'again', kind: 'forbidden', zh: '再说', en: 'again', variants: ['再说一遍'], where: 'anywhere', seconds: 0, unless: ['麻烦您再说一遍'], say: '麻烦您' }

it('sends what it was given when nothing was typed, and of each kind what it can have', () => {
  expect(toSend(draftsOf([greeting, rude]))).toEqual([greeting, rude])
  const [one] = draftsOf([greeting])
  expect(toSend([{ ...one!, seconds: 'x' }])[0]!.seconds).toBe(-1)
  expect(toSend([{ ...one!, kind: 'forbidden' }])[0]).toMatchObject({ where: 'anywhere', seconds: 0 })
  expect(toSend([{ ...one!, kind: 'advised' }])[0]).toMatchObject({ variants: [], where: 'anywhere' })
  expect(toSend([{ ...blankPhrase('en'), variants: ' a b \n\n c', unless: '\n' }])[0]).toMatchObject({ language: 'en', variants: ['a b', 'c'], unless: [] })
  expect([windowOf(greeting), windowOf(rude)]).toEqual(['开头 10 秒', ''])
})

it('shows an agent the words of the language that is spoken, else the Chinese ones', () => {
  expect(sayings([greeting, rude], 'zh', '1001')).toEqual({ greeting: '您好，工号 1001', good: ['麻烦您'], never: ['再说一遍'] })
  expect(sayings([greeting, rude], 'en', '1001').never).toEqual(['再说一遍'])
  expect(sayings([], 'zh', '1001')).toEqual({ greeting: '', good: [], never: [] })
})

it('tells what is to be heard from what was said as it should be, and the sure from the rest', () => {
  const hint: Hint = { recording: 1, at_ms: 1, code: 'again', kind: 'forbidden', state: 'said', phrase: '再说一遍', name: ['再说', 'again'], line: '', near: false, shared: false }
  expect([hintLook(hint).tone, hintLook({ ...hint, near: true }).tone, hintLook({ ...hint, kind: 'required' }).tone]).toEqual(['trouble', 'paused', 'away'])
  expect([isWell(hint), isWell({ ...hint, kind: 'required' }), isWell({ ...hint, kind: 'required', state: 'missing' })]).toEqual([false, true, false])
  expect(sayHint({ ...hint, kind: 'required', state: 'elsewhere' })).toBe('“再说”说得不是地方')
})
