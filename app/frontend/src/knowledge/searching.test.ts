import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useSearching } from './searching'
import type { Hit, Hits } from './types'

const hit = (id: number): Hit => ({ id }) as Hit
let asked: { q: string; done: boolean; answer: (hits: Hits) => void }[] = []
const ask = (q: string, done: boolean): Promise<Hits> => new Promise((answer) => asked.push({ q, done, answer }))

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
})
afterEach(() => void vi.useRealTimers())

async function answer(at: number, ...ids: number[]): Promise<void> {
  asked[at]!.answer({ items: ids.map(hit), noted: asked[at]!.done && !ids.length })
  await vi.advanceTimersByTimeAsync(0)
}

it('asks once the fingers rest, and with the words as they are then', async () => {
  const it = useSearching(ask)
  for (const text of ['停', '停水']) {
    it.q.value = text
    it.typed()
    await vi.advanceTimersByTimeAsync(60)
  }
  expect(asked).toEqual([])
  await vi.advanceTimersByTimeAsync(100)
  expect(asked.map(({ q, done }) => [q, done])).toEqual([['停水', false]])
})

it('shows the last answer, even when an earlier one comes after it', async () => {
  const it = useSearching(ask)
  it.q.value = '停'
  it.typed()
  await vi.advanceTimersByTimeAsync(150)
  it.q.value = '停电'
  it.typed()
  await vi.advanceTimersByTimeAsync(150)
  await answer(1, 7)
  await answer(0, 1, 2, 3)
  expect(it.hits.value.map((one) => one.id)).toEqual([7])
})

it('says that a search came to nothing only when the typing has ended', async () => {
  const it = useSearching(ask)
  it.q.value = '充电桩'
  it.typed()
  await vi.advanceTimersByTimeAsync(150)
  await answer(0)
  expect([it.noted.value, asked.length]).toEqual([false, 1])
  await vi.advanceTimersByTimeAsync(2600)
  expect(asked[1]!.done).toBe(true)
  await answer(1)
  expect(it.noted.value).toBe(true)
})

it('moves the choice within the hits and keeps it when the same is asked again', async () => {
  const it = useSearching(ask)
  it.q.value = '停水'
  it.typed()
  await vi.advanceTimersByTimeAsync(150)
  await answer(0, 1, 2, 3)
  expect(it.chosen.value).toBe(0)
  it.move(5)
  expect(it.chosen.value).toBe(2)
  void it.done()
  await answer(1, 1, 2, 3)
  expect(it.chosen.value).toBe(2)
  it.move(-9)
  expect(it.chosen.value).toBe(0)
  it.q.value = ''
  it.typed()
  expect([it.hits.value, it.chosen.value]).toEqual([[], -1])
})
