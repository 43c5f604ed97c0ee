import { describe, expect, it } from 'vitest'
import { CHECKS, NOT_CHECKED, PATIENCE_MS, Vigil, echoResult, faultOf, verdict } from './check'
import type { Facts, Results } from './check'

const passed = Object.fromEntries(CHECKS.map((one) => [one, 'passed'])) as Results
const well: Facts = { line: null, microphone: null, ringer: null, alerts: null }

describe('the check before a shift', () => {
  it.each(CHECKS)('is passed only when everything is: not without %s', (one) => {
    expect(verdict(passed)).toBe('passed')
    expect(verdict({ ...passed, [one]: 'running' })).toBe('running')
    expect(verdict({ ...passed, [one]: 'no_link' })).toBe('failed')
    expect(faultOf({ ...passed, [one]: 'no_link' })).toBe('no_link')
  })

  it('has not begun until something runs', () => {
    expect([verdict(NOT_CHECKED), faultOf(NOT_CHECKED)]).toEqual(['waiting', null])
  })

  it.each([
    [null, 'echo_none'],
    [{ roundTripMs: 60, levelDb: -12 }, 'passed'],
    [{ roundTripMs: 60, levelDb: -60 }, 'echo_quiet'],
    [{ roundTripMs: 900, levelDb: -12 }, 'echo_slow'],
  ] as const)('an echo of %j: %s', (heard, result) => expect(echoResult(heard)).toBe(result))
})

describe('the watch during a shift', () => {
  it('tells a lost microphone at once', () => {
    expect(new Vigil().look({ ...well, microphone: 'microphone_ended' }, 0)).toBe('microphone_ended')
  })

  it('waits for a line that flaps ten times a minute, and never gives up on it', () => {
    const vigil = new Vigil()
    for (let at = 0; at < 600_000; at += 3_000) expect(vigil.look({ ...well, line: at % 6_000 ? null : 'not_registered' }, at)).toBeNull()
  })

  it('tells a line that stays away', () => {
    const vigil = new Vigil()
    const told: number[] = []
    for (let at = 0; at <= 30_000; at += 5_000) if (vigil.look({ ...well, line: 'not_registered' }, at)) told.push(at)
    expect(told[0]).toBe(PATIENCE_MS.line)
  })

  it('after a sleep waits afresh: the line needs its seconds to come back', () => {
    const vigil = new Vigil()
    vigil.look({ ...well, line: 'not_registered' }, 0)
    expect(vigil.look({ ...well, line: 'not_registered' }, 3_600_000)).toBeNull()
  })

  it('a clock that was set back starts afresh, too', () => {
    const vigil = new Vigil()
    vigil.look({ ...well, line: 'not_registered' }, 3_600_000)
    expect(vigil.look({ ...well, line: 'not_registered' }, 0)).toBeNull()
  })
})
