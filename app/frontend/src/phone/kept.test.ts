import { describe, expect, it } from 'vitest'
import { readKept } from './kept'
import { OFF, lostTalk, seenFromElsewhere } from './state'

describe('what a window keeps for the next page', () => {
  const now = 1_000_000

  it.each([
    ['{"what":"c1","at":999000}', 'c1'],
    ['{"what":"","at":999000}', ''],
    ['{"what":"c1","at":0}', null],
    ['{"what":7,"at":999000}', null],
    ['{"what":"c1"}', null],
    ['c1', null],
    ['null', null],
    [null, null],
  ])('%s: %s', (text, kept) => expect(readKept(text, now, 60_000)).toBe(kept))

  it('a clock that was set back makes nothing fresh', () => expect(readKept('{"what":"c1","at":9000000}', now, 60_000)).toBeNull())
})

describe('a window that takes the telephone over', () => {
  it.each([
    ['talking', 'c1', 'c1'],
    ['answering', 'c1', 'c1'],
    ['talking', '', ''],
    ['ringing', 'c1', null],
    ['none', '', null],
  ] as const)('from one that was %s %j takes back %j', (talk, call_id, lost) => expect(lostTalk({ ...OFF, registration: 'registered', talk, call_id })).toBe(lost))

  it('that has heard of none takes nothing back', () => expect(lostTalk(null)).toBeNull())

  it('shows what the other one does, but not as its own', () => {
    expect(seenFromElsewhere({ ...OFF, registration: 'registered', talk: 'talking', muted: true })).toMatchObject({ registration: 'elsewhere', talk: 'talking', muted: true })
  })
})
