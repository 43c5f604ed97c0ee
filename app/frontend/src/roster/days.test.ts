import { describe, expect, it } from 'vitest'
import { faultAt, monday, plus, postsOf, turnAt } from './days'
import type { Roster } from './days'

describe('days of the roster', () => {
  it('begins weeks on Monday, also across months and for Sundays', () => {
    expect(monday('2026-11-26')).toBe('2026-11-23')
    expect(monday('2026-11-23')).toBe('2026-11-23')
    expect(monday('2026-11-01')).toBe('2026-10-26')
    expect(plus('2026-12-31', 1)).toBe('2027-01-01')
  })

  it('knows which posts a day needs and who stands there', () => {
    expect(postsOf(true, ['s1', 's2'])).toEqual(['s1', 's2', 'leader'])
    expect(postsOf(false, ['s1', 's2'])).toEqual(['office', 'leader'])
    const turn = { day: '2026-11-26', post: 's1', user_id: 3, name: '李', note: '', version: 2 }
    const roster: Roster = { days: [], sections: ['s1'], people: {}, turns: [turn], faults: [{ day: '2026-11-26', post: 'leader', why: 'empty' }] }
    expect(turnAt(roster, '2026-11-26', 's1')).toBe(turn)
    expect(turnAt(roster, '2026-11-27', 's1')).toBeUndefined()
    expect(faultAt(roster, '2026-11-26', 'leader')?.why).toBe('empty')
  })
})
