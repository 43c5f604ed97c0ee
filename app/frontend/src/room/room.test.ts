import { expect, test } from 'vitest'
import { alertText, measured, toTell } from './alerts'
import { busy, called, callsBehind, told, valueOf } from './figures'
import { placed } from './order'
import { notNumbers, toSend, written } from './rules'
import type { BoardAlert } from '../realtime/protocol'
import type { AlertRule, Tally } from './types'

const alert = (alert_id: string, acked_by = ''): BoardAlert => ({ alert_id, kind: 'depth', subject: '', name: '', sort: 'callers', value: 6, raise_at: 5, raised_ms: 0, acked_by, acked_ms: null })
const NONE: Tally = { calls: 0, answered: 0, in_time: 0, judged: 0, abandoned: 0, mean_wait_s: null, mean_talk_s: null }
const RULE: AlertRule = {
  kind: 'connect_24h', sort: 'share', falls: true, grows: false, low: 0, high: 1, enabled: true, raise_at: 0.95, clear_at: 0.955, for_s: 60, clear_s: 60, least: 20,
  shipped: { enabled: true, raise_at: 0.95, clear_at: 0.955, for_s: 60, clear_s: 60, least: 20 }, version: 3, changed_at: null, changed_by_name: null,
}

test('rows stand by staff number until somebody is at them, and then nothing moves', () => {
  expect(placed([], ['1010', '1002', '999'], false)).toEqual(['999', '1002', '1010'])
  expect(placed(['1002', '1010'], ['1010', '1001'], true)).toEqual(['1002', '1010', '1001'])
  expect(placed(['1002', '1010', '1001'], ['1010', '1001'], false)).toEqual(['1001', '1010'])
})

test('an alert is told once in a browser, and never when somebody knows of it', () => {
  const first = toTell([], [alert('a'), alert('b', '王班长')])
  expect(first.fresh.map((one) => one.alert_id)).toEqual(['a'])
  expect(toTell(first.told, [alert('a')]).fresh).toEqual([])
  expect(toTell(first.told, [alert('a'), alert('c')]).fresh.map((one) => one.alert_id)).toEqual(['c'])
  const many = Array.from({ length: 300 }, (_, n) => String(n))
  expect(toTell(many, [alert('x')]).told).toHaveLength(200)
  expect(toTell(many, [alert('x')]).told[199]).toBe('x')
  // Everybody's page is lost at once: more are open than are kept otherwise, and yet each is told once.
  const open = many.map((id) => alert(id))
  expect(toTell(toTell([], open).told, open).fresh).toEqual([])
})

test('an alert in words, with whom it is about', () => {
  expect(alertText({ kind: 'depth', subject: '', name: '' })).toBe('排队人数过多')
  expect(alertText({ kind: 'long_talk', subject: '1003', name: '陈晓' })).toBe('坐席 1003 陈晓 通话过长')
  expect([measured('seconds', 75.4), measured('share', 0.9499), measured('megabytes', 900.7), measured('callers', 6)]).toEqual(['1:15', '94.9%', '900 MB', '6'])
})

test('a measure of nothing is no zero', () => {
  expect(told(valueOf(NONE, 'in_time'), 'in_time')).toBe('—')
  expect(told(valueOf(NONE, 'wait'), 'wait')).toBe('—')
  expect(told(valueOf(NONE, 'calls'), 'calls')).toBe('0')
  expect(told(valueOf({ ...NONE, judged: 3, in_time: 2 }, 'in_time'), 'in_time')).toBe('66.6%')
})

test('a figure leads to the calls that it counts', () => {
  expect(callsBehind({ from: 'a', until: 'b' }, 'abandoned')).toEqual({ path: '/calls', query: { result: 'abandoned', since: 'a', until: 'b' } })
})

test('only the hours in which somebody called, now or a week ago, are shown, with what lies between', () => {
  const row = (now: number, before = 0) => ({ from: String(now), until: '', now: { ...NONE, calls: now }, before: { ...NONE, calls: before } })
  expect(busy([row(0), row(0, 2), row(0), row(3), row(0)], called).map((one) => one.now.calls)).toEqual([0, 0, 3])
  expect(busy([row(0), row(0)], called)).toEqual([])
})

test('shares are written in per cent and come back as they were', () => {
  const values = written(RULE)
  expect([values.raise_at, values.clear_at]).toEqual(['95', '95.5'])
  expect(notNumbers(RULE, values)).toEqual([])
  expect(toSend(RULE, values)).toMatchObject({ raise_at: 0.95, clear_at: 0.955, least: 20, version: 3 })
  expect(notNumbers(RULE, { ...values, raise_at: '九十五', for_s: '1.5' })).toEqual(['raise_at', 'for_s'])
})

test('a kind with one threshold sends it twice', () => {
  const rule = { ...RULE, sort: 'seconds' as const, grows: true }
  expect(toSend(rule, { ...written(rule), raise_at: '600', clear_at: 'x' })).toMatchObject({ raise_at: 600, clear_at: 600 })
  expect(notNumbers(rule, { ...written(rule), raise_at: '600', clear_at: 'x' })).toEqual([])
})
