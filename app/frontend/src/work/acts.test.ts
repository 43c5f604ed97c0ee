import { describe, expect, it } from 'vitest'
import { lastWords, ordered } from './acts'
import type { Line } from './types'

const line = (event: string, reason = '', assignment = 4): Line => ({ at: '', actor_name: '王', event: `unit.${event}`, detail: reason ? { assignment, reason } : { assignment } })

describe('what to do first', () => {
  it('is what somebody came for; the rest stays in the order of the table', () => {
    expect(ordered(['signed', 'returned'])).toEqual(['signed', 'returned'])
    expect(ordered(['handed_down', 'submitted', 'returned'])).toEqual(['submitted', 'handed_down', 'returned'])
    expect(ordered(['reworked', 'replied'])).toEqual(['replied', 'reworked'])
    expect(ordered(['return_refused', 'return_upheld'])).toEqual(['return_upheld', 'return_refused'])
    expect(ordered([])).toEqual([])
  })
})

describe('why it is here again', () => {
  const lines = [line('redo', '市民说没修好'), line('started'), line('submitted'), line('reworked', '请补充照片'), line('redo', '别的', 5)]

  it('is told by the last line of this assignment that sent it here', () => {
    expect(lastWords(lines, 4, 'in_progress')?.detail?.reason).toBe('请补充照片')
    expect(lastWords(lines, 4, 'redo')?.detail?.reason).toBe('市民说没修好')
    expect(lastWords(lines, 5, 'redo')?.detail?.reason).toBe('别的')
  })

  it('is not told any more once the reply was handed in again', () => {
    expect(lastWords([...lines, line('submitted')], 4, 'in_progress')).toBeNull()
    expect(lastWords(lines, 4, 'accepted')).toBeNull()
  })

  it('still tells while the reply to a redo is being written', () => {
    expect(lastWords(lines.slice(0, 2), 4, 'in_progress')?.detail?.reason).toBe('市民说没修好')
  })
})
