import { describe, expect, it } from 'vitest'
import { answersOf, toSend, typed, windowsOf } from './form'

describe('the form of a campaign', () => {
  it('reads windows as people write them, and nothing else', () => {
    expect(windowsOf('9:00-12:00，14：00 – 20:00')).toEqual([['09:00', '12:00'], ['14:00', '20:00']])
    for (const wrong of ['', 'morning', '9-12', '09:00-12:00, x']) expect(windowsOf(wrong)).toBeNull()
  })

  it('numbers answers by their lines, and gives them back where they stood', () => {
    expect(answersOf('满意\n\n 不满意 \n')).toEqual({ 1: '满意', 3: '不满意' })
    const again = typed({ ...({ spacing: { busy: 5 }, texts: {}, windows: [['09:00', '10:00']] } as never as object), answers: { 1: '满意', 3: '不满意' } } as never)
    expect(again.answers).toBe('满意\n\n不满意')
    expect(again.spacing.busy).toBe('5')
  })

  it('sends only the languages that say something, and only the spacings that were set', () => {
    const values = typed(null)
    values.texts.zh.purpose = '提醒'
    values.spacing.busy = '20'
    expect(toSend(values)).toMatchObject({ texts: { zh: { purpose: '提醒' } }, spacing: { busy: 20 }, windows: [['09:00', '12:00'], ['14:00', '20:00']] })
    expect(Object.keys(toSend(values).texts as object)).toEqual(['zh'])
  })
})
