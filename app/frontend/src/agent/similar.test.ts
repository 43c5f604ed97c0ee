import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { EMPTY } from './draft/core'
import { askedFor, useSimilar } from './similar'
import type { Asked, Candidate } from './similar'

const one = (id: number): Candidate => ({ id }) as Candidate
let asked: { body: Asked; answer: (found: Candidate[]) => void; fail: (cause: unknown) => void }[] = []
const ask = (body: Asked): Promise<Candidate[]> => new Promise((answer, fail) => asked.push({ body, answer, fail }))

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
})
afterEach(() => void vi.useRealTimers())

it('asks for a number at once, and for words when there are some', () => {
  expect(askedFor(EMPTY, 1)).toBeNull()
  expect(askedFor({ ...EMPTY, title: '停水' }, 1)).toBeNull()
  expect(askedFor({ ...EMPTY, title: '停水了' }, 1)).toMatchObject({ title: '停水了', case_id: 1 })
  expect(Object.keys(askedFor({ ...EMPTY, title: '停水了', area: '城南' }, 1)!)).toEqual(['number', 'title', 'content', 'address', 'case_id'])
  expect(askedFor({ ...EMPTY, caller_number: '13800138000' }, null)).toMatchObject({ number: '13800138000', case_id: null })
})

it('asks once the fingers rest, and not again for the same words', async () => {
  const it = useSimilar(ask)
  for (const title of ['停水两', '停水两天']) {
    it.typed({ ...EMPTY, title }, 1)
    await vi.advanceTimersByTimeAsync(300)
  }
  expect(asked).toEqual([])
  await vi.advanceTimersByTimeAsync(400)
  it.typed({ ...EMPTY, title: '停水两天', answer: 'x' }, 1)
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked.map(({ body }) => body.title)).toEqual(['停水两天'])
})

it('shows the last answer, even when an earlier one comes after it', async () => {
  const it = useSimilar(ask)
  for (const title of ['停水两天', '停电两天']) {
    it.typed({ ...EMPTY, title }, 1)
    await vi.advanceTimersByTimeAsync(700)
  }
  asked[1]!.answer([one(7)])
  asked[0]!.answer([one(3)])
  await vi.advanceTimersByTimeAsync(0)
  expect(it.found.value).toEqual([one(7)])
})

it('says when it could not ask, keeps what it had, and asks again with the next keystroke', async () => {
  const it = useSimilar(ask)
  it.typed({ ...EMPTY, title: '停水两天' }, 1)
  await vi.advanceTimersByTimeAsync(700)
  asked[0]!.fail(new Error('away'))
  await vi.advanceTimersByTimeAsync(0)
  expect(it.failed.value).toBe(true)
  it.typed({ ...EMPTY, title: '停水两天' }, 1)
  await vi.advanceTimersByTimeAsync(700)
  asked[1]!.answer([one(1)])
  await vi.advanceTimersByTimeAsync(0)
  expect([it.failed.value, it.found.value]).toEqual([false, [one(1)]])
})

it('forgets what it found when the form is emptied', async () => {
  const it = useSimilar(ask)
  it.typed({ ...EMPTY, title: '停水两天' }, 1)
  await vi.advanceTimersByTimeAsync(700)
  asked[0]!.answer([one(1)])
  await vi.advanceTimersByTimeAsync(0)
  it.typed(EMPTY, 2)
  expect(it.found.value).toEqual([])
})
