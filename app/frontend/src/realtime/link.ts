// The connection to /ws: hello or resume, reconnect with back-off, commands with results. Knows frames, not their meaning.
import { CLOSED } from './protocol'
import type { CommandName, ServerFrame, Stream } from './protocol'
import type { Timers } from './timers'

export type LinkStatus = 'connecting' | 'live' | 'down' | 'replaced' | 'refused' | 'signed_out' | 'closed'

export class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export interface Socket {
  send(text: string): void
  close(): void
  onopen: (() => void) | null
  onmessage: ((message: { data: unknown }) => void) | null
  onclose: ((close: { code: number }) => void) | null
}

export interface LinkEnds {
  open(): Socket
  timers: Timers
  now(): number
  random(): number
  /** Gives the frame to the state; false: a gap, so the link asks for a snapshot. */
  take(frame: ServerFrame): boolean
  /** Where the state is, for resuming; null: start afresh. */
  position(): { epoch: string; seq: number } | null
  status(status: LinkStatus): void
  heard(at: number): void
}

/** Closes after which trying again by itself would be wrong: it would take the line back from the window that has it now. */
const FINAL = new Map<number, LinkStatus>([
  [CLOSED.replaced, 'replaced'],
  [CLOSED.notAllowed, 'refused'],
  [CLOSED.notSignedIn, 'signed_out'],
])
const SILENT_MS = 12_000
const OPEN_MS = 6_000
const RESULT_MS = 8_000
/** A server that is restarted is back within seconds, so it is looked for every second for a while; then less and less often. */
const SECONDS_OF_A_RESTART = 12
const BACK_OFF_MS = [250, 500, ...Array<number>(SECONDS_OF_A_RESTART).fill(1000), 2000, 4000, 8000]

interface Waiting {
  resolve(data: unknown): void
  reject(error: CommandError): void
  stop(): void
}

export class Link {
  private socket: Socket | null = null
  private streams: Stream[] = []
  private waiting = new Map<string, Waiting>()
  private tries = 0
  private lastId = 0
  private live = false
  private afresh = false
  private refused = false
  private stopDeadline: () => void = () => undefined
  private stopRetry: () => void = () => undefined

  constructor(private readonly ends: LinkEnds) {}

  /** Connects for `streams`; an open connection for other streams is replaced. */
  connect(streams: Stream[]): void {
    const wanted = [...new Set(streams)].sort()
    const same = wanted.join() === this.streams.join()
    if (same && this.socket) return
    this.streams = wanted
    this.afresh = !same
    this.tries = 0
    this.refused = false
    this.dial()
  }

  /** Ends the connection for good (until the next connect). */
  close(): void {
    this.drop()
    this.streams = []
    this.ends.status('closed')
  }

  /** Tries at once instead of waiting for the back-off: the network is said to be back. */
  hurry(): void {
    if (!this.socket && !this.refused && this.streams.length) this.dial()
  }

  /** Sends a command; gives the result's data, or throws CommandError (code "offline" when there is no connection). */
  command(name: CommandName, args: Record<string, unknown> = {}): Promise<unknown> {
    if (!this.live || !this.socket) return Promise.reject(new CommandError('offline', ''))
    const id = `c${++this.lastId}`
    const sent = new Promise<unknown>((resolve, reject) => {
      const stop = this.ends.timers.after(RESULT_MS, () => this.settle(id, (it) => it.reject(new CommandError('timeout', ''))))
      this.waiting.set(id, { resolve, reject, stop })
    })
    this.socket.send(JSON.stringify({ type: 'command', id, name, args }))
    return sent
  }

  /** Tells the server that the pop with this number is on the screen. */
  acknowledge(event_seq: number): void {
    if (this.live) this.socket?.send(JSON.stringify({ type: 'ack', event_seq }))
  }

  private dial(): void {
    this.drop()
    this.ends.status(this.tries ? 'down' : 'connecting')
    const socket = this.ends.open()
    this.socket = socket
    this.deadline(OPEN_MS)
    socket.onopen = () => {
      const resume = this.afresh ? null : this.ends.position()
      socket.send(JSON.stringify({ type: 'hello', streams: this.streams, resume }))
    }
    socket.onmessage = (message) => this.socket === socket && this.onFrame(String(message.data))
    socket.onclose = (close) => this.socket === socket && this.onClose(close.code)
  }

  private onFrame(text: string): void {
    let frame: ServerFrame
    try {
      frame = JSON.parse(text) as ServerFrame
    } catch {
      return this.startAfresh()
    }
    this.deadline(SILENT_MS)
    this.ends.heard(this.ends.now())
    if (frame.type === 'ping') this.socket?.send('{"type":"pong"}')
    if (!this.live) {
      this.live = true
      this.tries = 0
      this.afresh = false
      this.ends.status('live')
    }
    if (frame.type === 'result') {
      const answer = frame
      this.settle(frame.id, (it) => (answer.ok ? it.resolve(answer.data) : it.reject(new CommandError(answer.error.code, answer.error.message))))
    } else if (!this.ends.take(frame)) this.startAfresh()
  }

  private startAfresh(): void {
    this.afresh = true
    this.dial()
  }

  private onClose(code: number): void {
    const final = FINAL.get(code)
    if (final === undefined) return this.retry()
    this.drop()
    this.refused = true
    this.ends.status(final)
  }

  private retry(): void {
    this.drop()
    this.ends.status('down')
    const base = BACK_OFF_MS[Math.min(this.tries, BACK_OFF_MS.length - 1)] ?? 8000
    this.tries += 1
    // Spread, so that a hundred desks do not come back in the same instant.
    this.stopRetry = this.ends.timers.after(base * (0.7 + 0.6 * this.ends.random()), () => this.dial())
  }

  /** Without a word from the server for `ms`, the connection is taken for dead. */
  private deadline(ms: number): void {
    this.stopDeadline()
    this.stopDeadline = this.ends.timers.after(ms, () => this.retry())
  }

  private drop(): void {
    this.stopDeadline()
    this.stopRetry()
    const socket = this.socket
    this.socket = null
    this.live = false
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.close()
    }
    for (const id of [...this.waiting.keys()]) this.settle(id, (it) => it.reject(new CommandError('offline', '')))
  }

  private settle(id: string, how: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id)
    if (!waiting) return
    this.waiting.delete(id)
    waiting.stop()
    how(waiting)
  }
}
