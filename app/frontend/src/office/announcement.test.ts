import { describe, expect, it } from 'vitest'
import { SHIPPED, differing, saidIn, silent, toSend, written } from './announcement'

const voices = [...SHIPPED, { language: 'za', speaks: false, reads: [] }]

describe('an announcement in the languages of the menu', () => {
  it('tells whose text callers hear, and who hears nothing', () => {
    const texts = { zh: ' 停水 ', yue: ' ', en: '', za: '…' }
    expect(voices.map((voice) => saidIn(texts, voice))).toEqual([
      { text: '停水', of: 'zh' },
      { text: '停水', of: 'zh' },
      { text: '', of: '' },
      { text: '', of: '' },
    ])
    expect(silent(texts, voices)).toEqual(['en', 'za'])
  })

  it('has a field for every language, keeps one that the menu has no more, and sends what was written', () => {
    const stored = { texts: { zh: '停水', qaa: 'x' }, active_from: '2026-11-24T01:00:00Z', active_until: '2026-11-24T02:00:00Z', priority: 0, area: '' } as never
    const form = written(stored, 0, voices)
    expect(Object.keys(form.texts)).toEqual(['zh', 'yue', 'en', 'za', 'qaa'])
    expect(toSend(form)).toMatchObject({ texts: { zh: '停水', qaa: 'x' } })
    expect(differing(form, { ...form, texts: { ...form.texts, en: 'No water' } })).toEqual(['en'])
  })
})
