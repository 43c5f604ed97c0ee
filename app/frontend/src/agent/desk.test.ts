import { beforeEach, expect, it, vi } from 'vitest'
import { ref, shallowRef } from 'vue'

const live = shallowRef({ agent: { agent_id: '1001', endpoint: '1001w', state: 'ready', overseeing: null as object | null }, calls: {}, offer: null })
const refused = ref(false)
let told: string[] = []

vi.mock('../realtime/store', () => ({
  live,
  linkStatus: ref('live'),
  nowDialling: () => undefined,
  command: (name: string) => {
    told.push(name)
    return refused.value ? Promise.reject(new Error('no')) : Promise.resolve({})
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
const { act } = await import('./desk')

const is = (change: Partial<typeof live.value.agent>): void => void (live.value = { ...live.value, agent: { ...live.value.agent, ...change } })

beforeEach(() => {
  told = []
  refused.value = false
  is({ endpoint: '1001w', overseeing: null })
})

it.each(['call.dial', 'call.oversee'] as const)('the page answers its own telephone when %s has it ring', async (name) => {
  expect(await act(name)).toBe(true)
  expect(told).toEqual(['answers ""', name])
})

it('a refusal has nothing ring', async () => {
  refused.value = true
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
