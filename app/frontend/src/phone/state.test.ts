import { describe, expect, it } from 'vitest'
import { heard, talkAfter } from './state'
import type { Talk, TalkEvent } from './state'

const TALKS: Talk[] = ['none', 'ringing', 'answering', 'talking']
const EVENTS: TalkEvent[] = ['ring', 'answer', 'up', 'over']
const FOLLOWS: Record<Talk, [ring: Talk, answer: Talk, up: Talk, over: Talk]> = {
  none: ['ringing', 'none', 'none', 'none'],
  ringing: ['ringing', 'answering', 'ringing', 'none'],
  answering: ['answering', 'answering', 'talking', 'none'],
  talking: ['talking', 'talking', 'talking', 'none'],
}

describe('the page’s telephone', () => {
  it.each(TALKS.flatMap((talk) => EVENTS.map((event, at) => [talk, event, FOLLOWS[talk][at]] as const)))('%s, then %s: %s', (talk, event, then) => {
    expect(talkAfter(talk, event)).toBe(then)
  })
})

describe('the microphone', () => {
  it.each([
    ['talking', false, 0, true],
    ['talking', true, 0, false],
    ['talking', true, 1, false], // a meter that was opened before the call, or the check that a fault has brought
    ['answering', true, 2, false],
    ['none', false, 0, false],
    ['none', false, 1, true],
    ['ringing', false, 0, false],
  ] as const)('%s, muted %s, %d looking: heard %s', (talk, muted, looks, open) => {
    expect(heard({ talk, muted }, looks)).toBe(open)
  })
})
