import { afterEach, describe, expect, it } from 'vitest'
import { locale } from '../i18n'
import { dueOf, span } from './due'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-24T01:00:00Z')
const at = (ms: number): string => new Date(NOW + ms).toISOString()

afterEach(() => void (locale.value = 'zh'))

describe('how long there is', () => {
  it('says two units of time and leaves out what is none', () => {
    expect(span(51 * HOUR)).toBe('2 天 3 小时')
    expect(span(48 * HOUR)).toBe('2 天')
    expect(span(3 * HOUR + 5 * 60_000)).toBe('3 小时 5 分钟')
    expect(span(24 * HOUR + 5 * 60_000)).toBe('1 天')
    expect(span(59_000)).toBe('不到 1 分钟')
  })

  it('is late from the very end on, near within a day, calm before', () => {
    expect(dueOf(at(0), NOW)).toEqual({ tone: 'trouble', icon: 'warning', text: '超期 不到 1 分钟' })
    expect(dueOf(at(-26 * HOUR), NOW)?.text).toBe('超期 1 天 2 小时')
    expect(dueOf(at(3 * HOUR), NOW)).toEqual({ tone: 'paused', icon: 'clock', text: '还剩 3 小时' })
    expect(dueOf(at(24 * HOUR), NOW)?.tone).toBe('away')
    expect(dueOf(null, NOW)).toBeNull()
  })

  it('speaks English where that is read', () => {
    locale.value = 'en'
    expect(dueOf(at(51 * HOUR), NOW)?.text).toBe('2 d 3 h left')
  })
})
