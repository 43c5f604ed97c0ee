import { describe, expect, it } from 'vitest'
import { talkAfter } from './state'
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
