import { describe, expect, it } from 'vitest'
import type { Card } from '../api/types'
import type { AgentView, DeltaEvent, ServerFrame } from './protocol'
import { currentCall, dialled, initialState, order, reduce } from './reducer'
import type { RealtimeState } from './reducer'

const agent = (changes: Partial<AgentView> = {}): AgentView => ({
  agent_id: '1001',
  name: '王小丽',
  state: 'ready',
  since_ms: 1000,
  reason: '',
  unreachable: false,
  endpoint: '1001',
  phone_registered: true,
  next_state: null,
  call_id: null,
  ...changes,
})

const card = (call_id = 'c1'): Card => ({
  call_id,
  number: '13912345678',
  name: '',
  line: '12345',
  language: 'zh',
  menu_path: [],
  waited_s: 4,
  joined_ms: 500,
  area: '',
  citizen: null,
  flags: [],
  draft: { case_id: 1, case_number: '20261124-000001', version: 1, fields: {} },
  open_cases: [],
  last_cases: [],
  last_calls: [],
})

const snapshot = (data: object, seq = 10, epoch = 'e1'): ServerFrame =>
  ({ type: 'snapshot', epoch, seq, data: { agent: agent(), calls: [], wallboard: null, server_ms: 0, ...data } }) as ServerFrame

/** The state after these deltas, numbered on from where it is. */
function after(state: RealtimeState, ...deltas: DeltaEvent[]): RealtimeState {
  return deltas.reduce((now, delta) => reduce(now, { type: 'delta', seq: now.seq + 1, ...delta } as ServerFrame), state)
}

const ready = reduce(initialState, snapshot({}))
const pop: DeltaEvent = { event: 'call.pop', data: { offer_id: 'o1', call_id: 'c1', deadline_ms: 9000, card: card() } }
const answered: DeltaEvent = { event: 'call.answered', data: { call_id: 'c1', at_ms: 5000 } }
const ended: DeltaEvent = { event: 'call.ended', data: { call_id: 'c1', at_ms: 8000, why: 'hangup', draft: null } }
const state = (name: AgentView['state'], changes: Partial<AgentView> = {}): DeltaEvent => ({ event: 'agent.state', data: agent({ state: name, ...changes }) })
const both = [
  { role: 'citizen', agent_id: '', number: '13912345678', state: 'up' },
  { role: 'agent', agent_id: '1001', number: '', state: 'up' },
] as const

describe('the order of messages', () => {
  it('knows the next, the seen and the gap', () => {
    expect([order(ready, 11), order(ready, 10), order(ready, 13)]).toEqual(['next', 'seen', 'gap'])
  })

  it('a delta that was seen changes nothing', () => {
    const once = after(ready, pop)
    expect(reduce(once, { type: 'delta', seq: once.seq, ...ended } as ServerFrame)).toBe(once)
  })
})

describe('a call that is offered', () => {
  it('brings its card and rings until its deadline', () => {
    const now = after(ready, pop)
    expect(now.offer).toEqual({ offer_id: 'o1', call_id: 'c1', deadline_ms: 9000, ringing: false })
    expect(now.card?.number).toBe('13912345678')
    expect(after(now, { event: 'call.ringing', data: { call_id: 'c1', offer_id: 'o1' } }).offer?.ringing).toBe(true)
  })

  it('leaves nothing behind when it goes to somebody else', () => {
    const now = after(ready, pop, { event: 'call.offer_ended', data: { call_id: 'c1', offer_id: 'o1', why: 'offer_timeout' } })
    expect([now.offer, now.card, now.calls]).toEqual([null, null, {}])
    expect(now.offerEnded?.why).toBe('offer_timeout')
  })

  it('keeps what is being written when its card comes late', () => {
    const bare = { ...card(), draft: null }
    const late = after(ready, { event: 'call.pop', data: { ...pop.data, card: bare } } as DeltaEvent, { event: 'call.card', data: { call_id: 'c1', card: card() } })
    expect(late.card?.draft?.case_id).toBe(1)
    expect(late.offer?.call_id).toBe('c1')
  })

  it('a card of another call is not shown', () => {
    expect(after(ready, pop, { event: 'call.card', data: { call_id: 'c9', card: card('c9') } }).card?.call_id).toBe('c1')
  })
})

describe('a call-back by the queue', () => {
  const agentOnly = [{ role: 'agent' as const, agent_id: '1001', number: '', state: 'up' }]
  const waits = after(ready, { ...pop, data: { ...pop.data, callback: true } } as DeltaEvent, answered, {
    event: 'call.room',
    data: { call_id: 'c1', phase: 'callback', members: agentOnly, talked: false },
  })

  it('is known as one from the pop on, and the citizen has not answered when the agent has', () => {
    expect(waits.offer).toBeNull()
    expect(waits.calls.c1).toMatchObject({ callback: true, phase: 'callback', talked: false })
  })

  it('is a talk from the citizen on, and its time counts from there', () => {
    const talk = after(waits, { event: 'call.answered', data: { call_id: 'c1', at_ms: 9000 } }, { event: 'call.room', data: { call_id: 'c1', phase: 'room', members: [...both], talked: true } })
    expect(talk.calls.c1).toMatchObject({ callback: true, phase: 'room', talked: true, answered_ms: 9000 })
  })
})

describe('a talk', () => {
  const talking = after(ready, pop, answered)

  it('begins when the phone is answered', () => {
    expect(talking.offer).toBeNull()
    expect(currentCall(talking.calls, talking.agent)).toMatchObject({ phase: 'talk', answered_ms: 5000, held: false })
  })

  it('knows that the staff number is being said until the server tells that the two are connected', () => {
    expect(talking.calls.c1?.talked).toBe(false)
    const begun = after(talking, { event: 'call.room', data: { call_id: 'c1', phase: 'talk', members: [...both], talked: true } })
    expect(begun.calls.c1).toMatchObject({ talked: true, phase: 'talk' })
    expect(after(begun, { event: 'call.held', data: { call_id: 'c1', phase: 'held', members: [...both] } }).calls.c1?.talked).toBe(true)
  })

  it('knows hold, resume and who is in it', () => {
    const held = after(talking, { event: 'call.held', data: { call_id: 'c1', phase: 'held', members: [...both] } })
    expect(held.calls.c1?.held).toBe(true)
    expect(after(held, { event: 'call.resumed', data: { call_id: 'c1', phase: 'room', members: [...both] } }).calls.c1?.held).toBe(false)
  })

  it('keeps its card through wrap-up and lets it go when the agent is ready again', () => {
    const wrapping = after(talking, state('wrap_up'), ended)
    expect(wrapping.card?.call_id).toBe('c1')
    expect(wrapping.ended?.call_id).toBe('c1')
    expect(after(wrapping, state('ready')).card_call_id).toBeNull()
  })

  it('is not brought back by a late word about its parties', () => {
    const over = after(talking, state('wrap_up'), ended)
    expect(after(over, { event: 'call.room', data: { call_id: 'c1', phase: 'room', members: [...both] } }).calls).toEqual({})
  })

  it('of strangers does not concern this agent', () => {
    expect(after(ready, { event: 'call.room', data: { call_id: 'c7', phase: 'room', members: [both[0]] } }).calls).toEqual({})
  })
})

describe('a call that the agent dials', () => {
  it('shows the number and opens no case', () => {
    const now = after(dialled(ready, 'out-1', '110'), { event: 'call.answered', data: { call_id: 'out-1', at_ms: 7000 } })
    expect(now.calls['out-1']).toMatchObject({ number: '110', outbound: true, answered_ms: 7000 })
    expect(now.card_call_id).toBeNull()
  })
})

describe('a snapshot', () => {
  const view = { call_id: 'c1', number: '1', phase: 'talk', agent_id: '1001', joined_ms: 1, answered_ms: 2, held: false, members: [], card: card() }

  it('after a reload in the middle of a talk brings the call and its card', () => {
    const now = reduce(initialState, snapshot({ agent: agent({ state: 'talking', call_id: 'c1' }), calls: [view] }))
    expect([now.card?.call_id, now.offer]).toEqual(['c1', null])
  })

  it('in the middle of ringing brings the offer with its deadline', () => {
    const ringing = { ...view, phase: 'connect', answered_ms: null, offer: { offer_id: 'o5', deadline_ms: 77 } }
    const now = reduce(initialState, snapshot({ agent: agent({ state: 'offered', call_id: 'c1' }), calls: [ringing] }))
    expect(now.offer).toEqual({ offer_id: 'o5', call_id: 'c1', deadline_ms: 77, ringing: true })
  })

  it('after a gap in wrap-up keeps the case on the desk', () => {
    const wrapping = after(ready, pop, answered, state('wrap_up'), ended)
    const now = reduce(wrapping, snapshot({ agent: agent({ state: 'wrap_up' }) }, 1, 'e2'))
    expect([now.card?.call_id, now.epoch, now.seq]).toEqual(['c1', 'e2', 1])
  })

  it('of a ready agent ends what was missed', () => {
    const talking = after(ready, pop, answered)
    expect(reduce(talking, snapshot({}, 1, 'e2')).card).toBeNull()
  })
})

it('shows a notice that comes again only once', () => {
  const again: DeltaEvent = { event: 'notice', data: { level: 'error', text: 'x' } }
  expect(after(ready, again, again).notices.map((it) => it.text)).toEqual(['x'])
})

it('keeps only the last notices, and none that belong to one call', () => {
  const many = Array.from({ length: 9 }, (_, n): DeltaEvent => ({ event: 'notice', data: { level: 'info', text: String(n) } }))
  expect(after(ready, ...many).notices.map((it) => it.text)).toEqual(['4', '5', '6', '7', '8'])
  expect(after(ready, { event: 'notice', data: { level: 'warning', text: 'x', call_id: 'c1' } }).notices).toEqual([])
})

describe('hints about the own words', () => {
  const hint = (code: string, told: 'said' | 'missing' | 'heard', call_id = 'c1'): DeltaEvent => ({
    event: 'call.hint',
    data: { call_id, code, kind: told === 'said' ? 'forbidden' : 'required', told, name: ['问候', 'greeting'], say: '您好', segment: 1, at_ms: 1 },
  })

  it('stand once for each phrase, go when the phrase was said, and outlive a reconnect but not the call', () => {
    const talk = after(ready, pop, answered, hint('greeting', 'missing'), hint('hurry', 'said'), hint('greeting', 'missing'))
    expect(talk.calls.c1?.hints?.map((one) => one.code)).toEqual(['hurry', 'greeting'])
    expect(reduce(talk, snapshot({ calls: [{ ...talk.calls.c1, hints: undefined }] }, 40, 'e2')).calls.c1?.hints?.length).toBe(2)
    expect(after(talk, hint('greeting', 'heard')).calls.c1?.hints?.map((one) => one.code)).toEqual(['hurry'])
    expect(after(talk, ended).calls.c1).toBeUndefined()
    expect(after(talk, hint('hurry', 'said', 'c9')).calls.c9).toBeUndefined()
  })
})

describe('what is being said', () => {
  const words = (text: string, start_ms: number, final = true, side: 'citizen' | 'agent' = 'citizen', call_id = 'c1'): DeltaEvent => ({
    event: 'call.words',
    data: { call_id, side, segment: 1, start_ms, text, final },
  })

  it('stands in order, the unfinished beside it, and outlives a reconnect but not the call', () => {
    const talk = after(ready, pop, answered, words('停', 900, false), words('停水', 1000), words('您好', 200, true, 'agent'), words('三', 2000, false))
    expect(talk.calls.c1?.said?.map((it) => it.text)).toEqual(['您好', '停水'])
    expect(talk.calls.c1?.saying).toEqual({ citizen: '三', agent: '' })
    const again = reduce(talk, snapshot({ calls: [{ ...talk.calls.c1, said: undefined, saying: undefined }] }, 40, 'e2'))
    expect(again.calls.c1?.said?.length).toBe(2)
    expect(after(talk, ended).calls.c1).toBeUndefined()
    expect(after(talk, words('别的', 1, true, 'citizen', 'c9')).calls.c9).toBeUndefined()
    const long = after(talk, ...Array.from({ length: 250 }, (_, n) => words(`第${n}句`, 3000 + n)))
    expect(long.calls.c1?.said?.length).toBe(200)
  })
})
