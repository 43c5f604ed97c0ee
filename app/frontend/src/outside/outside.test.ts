import { describe, expect, it } from 'vitest'
import { certificateLook, isDead, lastDay, parts, standing } from './types'
import type { Certificate, Machine, PushJob } from './types'

const machine = (more: Partial<Machine>): Machine => ({ id: 1, name: 'crm', hint: 'abcd', scopes: [], agents: [], sources: [], expires_at: '2027-01-01T00:00:00Z', created_at: '', revoked_at: null, last_used_at: null, last_address: '', ...more })

describe('outside systems', () => {
  it('staff numbers and addresses may be written with any separators', () => {
    expect(parts(' 1001，1002\n1003;1004、 1005 ')).toEqual(['1001', '1002', '1003', '1004', '1005'])
    expect(parts('  ')).toEqual([])
  })
  it('stands as the server says, and ends with its day', () => {
    const now = Date.parse('2026-12-01T00:00:00Z')
    expect(standing(machine({}), now)).toBe('inForce')
    expect(standing(machine({ expires_at: '2026-11-30T16:00:00Z' }), now)).toBe('expired')
    expect(standing(machine({ revoked_at: '2026-11-01T00:00:00Z' }), now)).toBe('revoked')
  })
  it('holds up to and with its last day, in the city', () => {
    expect(lastDay('2026-12-31T16:00:00Z')).toBe('2026-12-31')
  })
  it('only what nobody tries any more can be sent again', () => {
    const states = ['waiting', 'sent', 'refused', 'given_up', 'off']
    expect(states.filter((state) => isDead({ state } as PushJob))).toEqual(['refused', 'given_up'])
  })
  it('a certificate grows more pressing', () => {
    const tone = (state: string, days: number | null): string => certificateLook({ state, days } as Certificate).tone
    expect([tone('ok', null), tone('ends', 30), tone('ends', 7), tone('lapsed', 0), tone('stale', 30)]).toEqual(['ready', 'paused', 'trouble', 'trouble', 'paused'])
  })
})
