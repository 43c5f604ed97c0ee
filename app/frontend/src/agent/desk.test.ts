import { beforeEach, expect, it, vi } from 'vitest'

const command = vi.hoisted(() => vi.fn())
vi.mock('../realtime/store', async (original) => ({ ...(await original<object>()), command }))

import { act, pending } from './desk'

let answers: (() => void)[] = []
beforeEach(() => {
  answers = []
  command.mockReset()
  command.mockImplementation(() => new Promise<null>((resolve) => answers.push(() => resolve(null))))
})

it('takes the same command pressed twice for one', async () => {
  const first = act('call.dial', { number: '1' })
  expect(await act('call.dial', { number: '2' })).toBe(false)
  answers[0]!()
  expect(await first).toBe(true)
  expect([command.mock.calls.length, pending.value.size]).toEqual([1, 0])
})

it('takes another mode, or the next alert, for a wish of its own while the first runs', () => {
  void act('call.oversee', { call_id: 'c', mode: 'listen' })
  void act('call.oversee', { call_id: 'c', mode: 'listen' })
  void act('call.oversee', { call_id: 'c', mode: 'whisper' })
  void act('alert.acknowledge', { alert_id: 'a' })
  void act('alert.acknowledge', { alert_id: 'b' })
  expect(command.mock.calls.map(([, args]) => args.mode ?? args.alert_id)).toEqual(['listen', 'whisper', 'a', 'b'])
})
