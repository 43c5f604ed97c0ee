import { beforeEach, describe, expect, it } from 'vitest'
import { CommandError, Link } from './link'
import type { LinkStatus, Socket } from './link'
import type { ServerFrame } from './protocol'

class FakeSocket implements Socket {
  sent: Record<string, unknown>[] = []
  closed = false
  onopen: (() => void) | null = null
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: ((close: { code: number }) => void) | null = null
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close(): void {
    this.closed = true
  }
  frame(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

/** Timers that fire when told how much time has passed. */
class HandTimers {
  now = 0
  private jobs: { at: number; job: () => void }[] = []
  after(ms: number, job: () => void): () => void {
    const entry = { at: this.now + ms, job }
    this.jobs.push(entry)
    return () => (this.jobs = this.jobs.filter((it) => it !== entry))
  }
  pass(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const next = this.jobs.filter((it) => it.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.jobs = this.jobs.filter((it) => it !== next)
      this.now = next.at
      next.job()
    }
    this.now = until
  }
}

const snapshot = { type: 'snapshot', epoch: 'e1', seq: 3, data: {} }
let sockets: FakeSocket[]
let timers: HandTimers
let statuses: LinkStatus[]
let taken: ServerFrame[]
let position: { epoch: string; seq: number } | null
let gap: boolean
let link: Link

const socket = (): FakeSocket => sockets[sockets.length - 1]!

beforeEach(() => {
  sockets = []
  timers = new HandTimers()
  statuses = []
  taken = []
  position = null
  gap = false
  link = new Link({
    open: () => {
      sockets.push(new FakeSocket())
      return socket()
    },
    timers,
    now: () => timers.now,
    random: () => 0.5,
    take: (frame) => {
      taken.push(frame)
      return !gap
    },
    position: () => position,
    status: (status) => statuses.push(status),
    heard: () => undefined,
  })
})

function live(): void {
  link.connect(['agent'])
  socket().onopen?.()
  socket().frame(snapshot)
  position = { epoch: 'e1', seq: 3 }
}

describe('connecting', () => {
  it('says hello without a place to resume from, and is live with the first frame', () => {
    live()
    expect(sockets[0]?.sent[0]).toEqual({ type: 'hello', streams: ['agent'], resume: null })
    expect(statuses).toEqual(['connecting', 'live'])
  })

  it('answers every ping at once', () => {
    live()
    socket().frame({ type: 'ping', server_ms: 1 })
    expect(socket().sent.slice(-1)[0]).toEqual({ type: 'pong' })
  })

  it('resumes where it was after the connection was lost', () => {
    live()
    socket().onclose?.({ code: 1006 })
    timers.pass(250)
    socket().onopen?.()
    expect(socket().sent[0]).toEqual({ type: 'hello', streams: ['agent'], resume: { epoch: 'e1', seq: 3 } })
  })

  it('looks every second while a restart may last, then less often, and at once when told that the network is back', () => {
    live()
    const tried: number[] = []
    for (let at = 0; at < 18; at += 1) {
      socket().onclose?.({ code: 1006 })
      const before = sockets.length
      const from = timers.now
      while (sockets.length === before) timers.pass(50)
      tried.push(timers.now - from)
    }
    expect(tried.slice(0, 4)).toEqual([250, 500, 1000, 1000])
    expect(tried.slice(-5)).toEqual([1000, 2000, 4000, 8000, 8000])
    socket().onclose?.({ code: 1006 })
    const before = sockets.length
    link.hurry()
    expect(sockets.length).toBe(before + 1)
  })

  it('takes twelve silent seconds for a dead connection', () => {
    live()
    timers.pass(11_900)
    expect(sockets.length).toBe(1)
    timers.pass(500)
    expect(sockets[0]?.closed).toBe(true)
    expect(sockets.length).toBe(2)
  })

  it('asks for a snapshot after a gap in the numbers', () => {
    live()
    gap = true
    socket().frame({ type: 'delta', seq: 9, event: 'notice', data: {} })
    socket().onopen?.()
    expect(socket().sent[0]).toMatchObject({ resume: null })
  })

  it('does not take the line back from the window that has it now', () => {
    live()
    socket().onclose?.({ code: 4409 })
    timers.pass(60_000)
    link.hurry()
    expect(sockets.length).toBe(1)
    expect(statuses.slice(-1)[0]).toBe('replaced')
    link.connect(['agent'])
    expect(sockets.length).toBe(2)
  })

  it('tells an ended login from a lost connection', () => {
    live()
    socket().onclose?.({ code: 4401 })
    timers.pass(60_000)
    expect([statuses.slice(-1)[0], sockets.length]).toEqual(['signed_out', 1])
  })
})

describe('commands', () => {
  it('give the result that carries their id', async () => {
    live()
    const first = link.command('call.hold', { call_id: 'c1' })
    const second = link.command('call.resume')
    socket().frame({ type: 'result', id: 'c2', ok: true, data: 2 })
    socket().frame({ type: 'result', id: 'c1', ok: true, data: 1 })
    expect([await first, await second]).toEqual([1, 2])
  })

  it('tell the refusal in the server’s code', async () => {
    live()
    const asked = link.command('call.dial', { number: '1' })
    socket().frame({ type: 'result', id: 'c1', ok: false, error: { code: 'not_permitted', message: 'no' } })
    await expect(asked).rejects.toMatchObject({ code: 'not_permitted', message: 'no' })
  })

  it('fail at once without a connection, when it breaks, and after eight seconds of silence', async () => {
    await expect(link.command('agent.ready')).rejects.toMatchObject({ code: 'offline' })
    live()
    const cut = link.command('agent.ready')
    socket().onclose?.({ code: 1006 })
    await expect(cut).rejects.toBeInstanceOf(CommandError)
    timers.pass(250)
    socket().onopen?.()
    socket().frame(snapshot)
    const slow = link.command('agent.ready')
    timers.pass(8_000)
    await expect(slow).rejects.toMatchObject({ code: 'timeout' })
  })
})
