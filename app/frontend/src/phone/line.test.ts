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
  connection: unknown = null
  how: unknown = null
  ended: unknown = null
  keys: string[] = []
  established = false
  remote_identity = { uri: { user: '13912345678' } }
  answer(how: unknown): void {
    this.answered = true
    this.how = how
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
  called: { target: string; session: Session } | null = null
  call(target: string): Session {
    this.called = { target, session: new Session() }
    return this.called.session
  }
}

const account = { uri: 'sip:1001w@10.0.0.1', username: '1001w', password: 'secret', wss_url: 'wss://10.0.0.1:8089/ws' }
const socket = class {
  constructor(readonly url: string) {}
}
let view: Partial<PhoneView>
let line: Line
let microphone: MediaStream | null

beforeEach(() => {
  vi.useFakeTimers()
  view = {}
  microphone = null
  line = new Line({ UA: Agent, WebSocketInterface: socket } as unknown as Sip, account, { play: () => undefined, microphone: () => microphone, tell: (change) => (view = { ...view, ...change }) })
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

describe('the microphone', () => {
  it('that is held goes into the talk; without one the browser is asked', () => {
    expect(talk('c1').how).toMatchObject({ mediaConstraints: { audio: true } })
  })

  it('is changed in a talk without a new one', async () => {
    microphone = { id: 'held' } as MediaStream
    const session = talk('c1')
    const replaced: unknown[] = []
    session.connection = { getSenders: () => [{ track: { kind: 'audio' }, replaceTrack: (track: unknown) => Promise.resolve(replaced.push(track)) }] }
    const other = { kind: 'audio' } as MediaStreamTrack
    await line.replace(other)
    expect(session.how).toMatchObject({ mediaStream: microphone })
    expect([replaced, view.talk]).toEqual([[other], 'talking'])
  })
})

describe('the echo', () => {
  const sound = {} as MediaStream

  it('is called at the exchange, and gives what comes back', async () => {
    const echo = line.echo(sound)
    const { target, session } = Agent.last.called!
    expect(target).toBe('sip:echo@10.0.0.1')
    const heard = {} as MediaStream
    const tracks = new EventTarget()
    session.emit('peerconnection', { peerconnection: tracks })
    tracks.dispatchEvent(Object.assign(new Event('track'), { streams: [heard] }))
    session.emit('confirmed')
    expect((await echo).heard).toBe(heard)
    expect(view.talk).toBeUndefined()
  })

  it('makes way for whoever rings, and is not begun in a talk', async () => {
    const echo = line.echo(sound)
    const { session } = Agent.last.called!
    rings('c1')
    expect(session.ended).not.toBeNull()
    session.emit('failed')
    await expect(echo).rejects.toThrow()
    await expect(line.echo(sound)).rejects.toThrow('busy')
    expect([view.talk, view.call_id]).toEqual(['ringing', 'c1'])
  })

  it('that is not answered is given up', async () => {
    const echo = line.echo(sound)
    vi.advanceTimersByTime(4_000)
    const { session } = Agent.last.called!
    expect(session.ended).not.toBeNull()
    session.emit('failed')
    await expect(echo).rejects.toThrow('no echo')
  })
})
