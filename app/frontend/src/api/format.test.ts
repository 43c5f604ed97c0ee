import { expect, it } from 'vitest'
import { cityInput, clockTime, dateTime, dayEnd, dueTime, duration, fromCityInput, menuPath, percent, phoneNumber, shortTime } from './format'
import { en } from '../i18n/en'
import { zh } from '../i18n/zh'
import { ageLevel, atLeast, atMost, depthLevel } from '../wallboard/levels'

it('tells times of the hotline’s city', () => {
  expect(dateTime('2026-11-24T16:30:12Z')).toBe('2026-11-25 00:30:12')
  expect(shortTime('2026-11-24T01:30:12Z')).toBe('11-24 09:30')
  expect(clockTime(Date.UTC(2026, 10, 24, 16, 0, 5))).toBe('00:00:05')
  expect([dateTime(null), dateTime('nonsense')]).toEqual(['—', 'nonsense'])
})

it('says that a day ends at 24:00', () => {
  expect([dueTime('2026-11-24T16:00:00Z'), dueTime('2026-11-24T16:30:00Z'), dueTime(null)]).toEqual(['11-24 24:00', '11-25 00:30', '—'])
  expect(dayEnd('2026-12-31')).toBe('2026-12-31T16:00:00.000Z')
})

it('reads and writes times of the hotline’s city, wherever the browser is', () => {
  expect(cityInput('2026-11-24T16:30:12Z')).toBe('2026-11-25T00:30')
  expect(new Date(fromCityInput('2026-11-25T00:30')).toISOString()).toBe('2026-11-24T16:30:00.000Z')
  expect(fromCityInput('')).toBe('')
})

it('tells durations', () => {
  expect([duration(7), duration(725), duration(3725), duration(-3), duration(null)]).toEqual(['0:07', '12:05', '1:02:05', '0:00', '—'])
})

it('never rounds a missed target up to a met one', () => {
  expect([percent(0.9499), percent(0.95), percent(1), percent(null), percent(15041 / 15721)]).toEqual(['94.9%', '95%', '100%', '—', '95.6%'])
})

it('groups mobile numbers and names a withheld one', () => {
  expect([phoneNumber('13912345678'), phoneNumber('02588886666'), phoneNumber('')]).toEqual(['139 1234 5678', '02588886666', '未显示号码'])
})

it('tells the way through the menu without its inner branches', () => {
  expect(menuPath('caller>welcome>hours>announcements>main>answers>person>queue')).toBe('欢迎语 › 主菜单 › 政策问答 › 转人工')
})

it('has every text in both languages, with the same places to fill', () => {
  const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((it) => it[0]).sort()
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  for (const key of Object.keys(zh) as (keyof typeof zh)[]) expect(places(en[key]), key).toEqual(places(zh[key]))
})

it('colours figures against their targets', () => {
  expect([atLeast(0.95, { good: 0.95, near: 0.9 }), atLeast(0.92, { good: 0.95, near: 0.9 }), atLeast(0.5, { good: 0.95, near: 0.9 }), atLeast(null, { good: 1, near: 0 })]).toEqual(['good', 'near', 'bad', 'none'])
  expect([atMost(15, { good: 15, near: 60 }), atMost(16, { good: 15, near: 60 }), atMost(61, { good: 15, near: 60 })]).toEqual(['good', 'near', 'bad'])
  expect([depthLevel(0, 0), depthLevel(1, 0), depthLevel(3, 4), depthLevel(5, 4)]).toEqual(['good', 'near', 'near', 'bad'])
  expect([ageLevel('talking', 599), ageLevel('talking', 600), ageLevel('talking', 1200), ageLevel('ready', 99999)]).toEqual(['plain', 'look', 'long', 'plain'])
})
