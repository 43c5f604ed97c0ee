import { describe, expect, it, vi } from 'vitest'
import { dialable } from './dial'
import { chordOf, listen } from './keys'

const plain = { code: '', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false }

describe('keys of the desk', () => {
  it.each([
    [{ ...plain, key: 'F2' }, 'F2'],
    [{ ...plain, key: 'F8', shiftKey: true }, 'Shift+F8'],
    [{ ...plain, key: 'Process', code: 'F9' }, 'F9'],
    [{ ...plain, key: 'F9', shiftKey: true }, 'Shift+F9'],
    [{ ...plain, key: 'F4', shiftKey: true }, 'Shift+F4'],
    [{ ...plain, key: 'F6', shiftKey: true }, 'Shift+F6'],
    [{ ...plain, key: 'F4', altKey: true }, null],
    [{ ...plain, key: 'F2', ctrlKey: true }, null],
    [{ ...plain, key: 'F5' }, null],
    [{ ...plain, key: 'a', code: 'KeyA' }, null],
  ])('%o is %s', (event, chord) => expect(chordOf(event)).toBe(chord))

  function pressed(init: Partial<KeyboardEvent>): { press: string[]; composing: string[]; prevented: boolean } {
    const target = new EventTarget()
    const seen = { press: [] as string[], composing: [] as string[], prevented: false }
    listen(target, { press: (chord) => seen.press.push(chord), composing: (chord) => seen.composing.push(chord) })
    const event = Object.assign(new Event('keydown', { cancelable: true }), { ...plain, key: 'F9', isComposing: false, keyCode: 120, repeat: false, ...init })
    event.preventDefault = vi.fn(() => (seen.prevented = true))
    target.dispatchEvent(event)
    return seen
  }

  it('do their work and keep the browser from its own', () => {
    expect(pressed({})).toEqual({ press: ['F9'], composing: [], prevented: true })
  })

  it('are left to the input method while it is composing', () => {
    expect(pressed({ isComposing: true })).toEqual({ press: [], composing: ['F9'], prevented: false })
    expect(pressed({ keyCode: 229, key: 'Process', code: 'F9' })).toMatchObject({ press: [], composing: ['F9'] })
  })

  it('count once however long they are held down', () => {
    expect(pressed({ repeat: true })).toMatchObject({ press: [], prevented: true })
  })
})

describe('numbers to dial', () => {
  it.each([
    ['139 1234 5678', '13912345678'],
    ['(025) 8888-6666', '02588886666'],
    ['+86 139', '+86139'],
    ['*97#', '*97#'],
    ['', null],
    ['12345;rm -rf', null],
    ['1\r\n2', '12'],
    ['9'.repeat(33), null],
  ])('%j is %j', (typed, number) => expect(dialable(typed)).toBe(number))
})
