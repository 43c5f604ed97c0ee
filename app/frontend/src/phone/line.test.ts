import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Line } from './line'
import type { Sip } from './line'
import type { PhoneView } from './state'

type Listener = (event: never) => void

/** Remembers listeners, as an EventEmitter does. */
class Emitter {
  private readonly listeners = new Map<string, Listener>()
  on(name: string, listener: Listener): this {
    this.listeners.set(name, listener)
    return this
  }
  emit(name: string, event: unknown = {}): void {
    this.listeners.get(name)?.(event as never)
  }
}

class Session extends Emitter {
  answered = false
  ended: unknown = null
  keys: string[] = []
  established = false
  remote_identity = { uri: { user: '13912345678' } }
  answer(): void {
    this.answered = true
  }
  terminate(how: unknown): void {
    this.ended = how
  }
  sendDTMF(key: string): void {
    this.keys.push(key)
  }
  isEnded = (): boolean => this.ended !== null
  isEstablished = (): boolean => this.established
}

class Agent extends Emitter {
  static last: Agent
  stopped = false
  asked = 0
  constructor(readonly configuration: { password: string; uri: string }) {
    super()
    Agent.last = this
  }
  start(): void {}
  stop(): void {
    this.stopped = true
  }
  register(): void {
    this.asked += 1
  }
  isConnected = (): boolean => true
}

const account = { uri: 'sip:1001w@10.0.0.1', username: '1001w', password: 'secret', wss_url: 'wss://10.0.0.1:8089/ws' }
const socket = class {
  constructor(readonly url: string) {}
}
let view: Partial<PhoneView>
let line: Line

beforeEach(() => {
  vi.useFakeTimers()
  view = {}
  line = new Line({ UA: Agent, WebSocketInterface: socket } as unknown as Sip, account, { play: () => undefined, tell: (change) => (view = { ...view, ...change }) })
  line.open()
})

/** An INVITE; `call_id` "": it names no citizen's call. */
function rings(call_id: string): Session {
  const session = new Session()
  const request = { getHeader: (name: string) => (name === 'X-Hotline-Call' && call_id ? call_id : undefined) }
  Agent.last.emit('newRTCSession', { originator: 'remote', session, request })
  return session
}

/** A talk that both ends have confirmed. */
function talk(call_id: string): Session {
  line.answer(call_id)
  const session = rings(call_id)
  session.established = true
  session.emit('confirmed')
  return session
}

describe('registering', () => {
  it('is told as the exchange tells it, and tried again', () => {
    Agent.last.emit('registered')
    expect(view.registration).toBe('registered')
    Agent.last.emit('disconnected')
    expect(view.registration).toBe('lost')
    Agent.last.emit('registrationFailed', { response: { status_code: 403 } })
    expect(view.registration).toBe('refused')
    vi.advanceTimersByTime(5_000)
    expect(Agent.last.asked).toBe(1)
  })
})

describe('answering', () => {
  it('rings until the agent answers', () => {
    const session = rings('c1')
    expect([view.talk, view.call_id, session.answered]).toEqual(['ringing', 'c1', false])
    line.answer('c1')
    expect([view.talk, session.answered]).toEqual(['answering', true])
    session.emit('confirmed')
    expect(view.talk).toBe('talking')
    session.emit('ended')
    expect([view.talk, view.call_id]).toEqual(['none', ''])
  })

  it('a key pressed before the first ring answers that call', () => {
    line.answer('c1')
    expect(rings('c1').answered).toBe(true)
  })

  it('a wish for one call answers no other, and not for ever', () => {
    line.answer('c1')
    const other = rings('c2')
    expect(other.answered).toBe(false)
    other.emit('failed')
    vi.advanceTimersByTime(30_000)
    expect(rings('c1').answered).toBe(false)
  })

  it('a wish that is void answers nothing', () => {
    line.answer('')
    line.forget()
    expect(rings('').answered).toBe(false)
  })

  it('a second caller hears busy and does not disturb the talk', () => {
    talk('c1')
    expect(rings('c2').ended).toEqual({ status_code: 486 })
    expect([view.talk, view.call_id]).toEqual(['talking', 'c1'])
  })
})

describe('keys', () => {
  it('are sent in a talk only', () => {
    line.press('1')
    const session = talk('c1')
    line.press('2')
    expect(session.keys).toEqual(['2'])
  })
})

describe('closing', () => {
  it('in a talk tells the exchange of a fault, and whose talk it was', () => {
    const session = talk('c1')
    expect(line.close()).toBe('c1')
    expect(session.ended).toEqual({ extraHeaders: ['Reason: Q.850;cause=41;text="page left"'] })
    expect([Agent.last.stopped, view.registration, view.talk]).toEqual([true, 'off', 'none'])
  })

  it('while it rings refuses the call, so that the next agent is rung at once', () => {
    const session = rings('c1')
    expect(line.close()).toBeNull()
    expect(session.ended).toEqual({ status_code: 480 })
  })

  it('with nothing going on is quiet', () => {
    expect(line.close()).toBeNull()
  })
})
