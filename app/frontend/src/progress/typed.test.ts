import { describe, expect, it } from 'vitest'
import { digits, faults } from './typed'

describe('what a citizen typed', () => {
  it('is read however it is grouped and in whatever digits', () => {
    expect(digits(' 20261124-000123 ')).toBe('20261124000123')
    expect(digits('２０２６１１２４－０００１２３')).toBe('20261124000123')
    expect(faults('2026 1124 000123', '1234-5678')).toEqual({ number: '', code: '' })
  })

  it('is asked for, or said to be too short, never judged otherwise', () => {
    expect(faults('', ' ')).toEqual({ number: 'progress.numberMissing', code: 'progress.codeMissing' })
    expect(faults('2026', '123456789')).toEqual({ number: 'progress.numberWrong', code: 'progress.codeWrong' })
  })
})
