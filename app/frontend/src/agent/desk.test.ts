import { beforeEach, expect, it, vi } from 'vitest'
import { ref, shallowRef } from 'vue'

const live = shallowRef({ agent: { agent_id: '1001', endpoint: '1001w', state: 'ready', overseeing: null as object | null }, calls: {}, offer: null })
let answer: () => Promise<object>
let told: string[] = []

vi.mock('../realtime/store', () => ({
  live,
  linkStatus: ref('live'),
  nowDialling: () => undefined,
  command: (name: string, args: Record<string, unknown>) => {
    told.push([name, ...Object.values(args)].join(' '))
    return answer()
  },
}))
vi.mock('../phone/phone', () => ({
  phone: ref({ talk: 'none', call_id: '' }),
  answerInBrowser: (call_id: string) => told.push(`answers "${call_id}"`),
  forgetAnswer: () => told.push('forgets'),
  startPhone: () => undefined,
  stopPhone: () => undefined,
}))
vi.mock('../notify/toast', () => ({ toast: () => undefined }))
const { act, pending } = await import('./desk')

const is = (change: Partial<typeof live.value.agent>): void => void (live.value = { ...live.value, agent: { ...live.value.agent, ...change } })
/** From now on a command waits for `end`. */
const waiting = (): { end: () => void } => {
  const ends: (() => void)[] = []
  answer = () => new Promise((resolve) => ends.push(() => resolve({})))
  return { end: () => ends.forEach((one) => one()) }
}

beforeEach(() => {
  told = []
  pending.value = new Set()
  answer = () => Promise.resolve({})
  is({ endpoint: '1001w', overseeing: null })
})

it.each(['call.dial', 'call.oversee'] as const)('the page answers its own telephone when %s has it ring', async (name) => {
  expect(await act(name)).toBe(true)
  expect(told).toEqual(['answers ""', name])
})

it('a refusal has nothing ring', async () => {
  answer = () => Promise.reject(new Error('no'))
  expect(await act('call.oversee')).toBe(false)
  expect(told).toEqual(['answers ""', 'call.oversee', 'forgets'])
})

it('another way of overseeing the same talk rings nobody, and a desk phone is picked up by hand', async () => {
  is({ overseeing: { call_id: 'c1' } })
  await act('call.oversee')
  is({ endpoint: '1001', overseeing: null })
  await act('call.oversee')
  await act('call.dial')
  expect(told).toEqual(['call.oversee', 'call.oversee', 'call.dial'])
})

it('takes the same command pressed twice for one', async () => {
  is({ endpoint: '1001' })
  const commands = waiting()
  const first = act('call.dial', { number: '1' })
  expect(await act('call.dial', { number: '2' })).toBe(false)
  commands.end()
  expect(await first).toBe(true)
  expect([told, pending.value.size]).toEqual([['call.dial 1'], 0])
})

it('takes another mode, or the next alert, for a wish of its own while the first runs', () => {
  is({ endpoint: '1001' })
  waiting()
  void act('call.oversee', { mode: 'listen' })
  void act('call.oversee', { mode: 'listen' })
  void act('call.oversee', { mode: 'whisper' })
  void act('alert.acknowledge', { alert_id: 'a' })
  void act('alert.acknowledge', { alert_id: 'b' })
  expect(told).toEqual(['call.oversee listen', 'call.oversee whisper', 'alert.acknowledge a', 'alert.acknowledge b'])
})
