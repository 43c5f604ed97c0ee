// The SIP side of the page's own telephone: registers over secure WebSocket, rings, answers, plays and sends sound.
import type { RTCSession } from 'jssip/lib/RTCSession'
import type { IncomingRTCSessionEvent, RTCSessionEvent, UA, UAConfiguration, UnRegisteredEvent } from 'jssip/lib/UA'
import { talkAfter } from './state'
import type { PhoneView, TalkEvent } from './state'

/** What GET /api/agents/me/browser-phone gives. */
export interface Account {
  uri: string
  username: string
  password: string
  wss_url: string
}

/** The part of JsSIP that a line needs. */
export interface Sip {
  UA: new (configuration: UAConfiguration) => UA
  WebSocketInterface: new (url: string) => UAConfiguration['sockets'] & object
}

export interface LineEnds {
  /** Plays what the other side says; null ends it. */
  play(sound: MediaStream | null): void
  /** The microphone; null: the browser is asked for one when it is needed. */
  microphone(): MediaStream | null
  /** Something has changed. */
  tell(change: Partial<PhoneView>): void
}

const EXPIRES_S = 120
const AGAIN_MS = 5_000
/** A wish to answer what has not rung by then is forgotten: nothing may be answered by surprise. */
const WISH_MS = 30_000
/** Which call of the hotline rings; set by the dialplan on offers. */
const CALL_HEADER = 'X-Hotline-Call'
/** Q.850: a passing fault, not somebody's wish to end the call: the citizen is served again before the others. */
const PAGE_LEFT = 'Reason: Q.850;cause=41;text="page left"'
/** Gives back what it hears; only browser phones reach it. */
const ECHO = 'echo'
const ECHO_WITHIN_MS = 4_000
const BUSY = 486
const UNAVAILABLE = 480

export class Line {
  private ua: UA | null = null
  private session: RTCSession | null = null
  private test: RTCSession | null = null
  private view: Pick<PhoneView, 'talk' | 'call_id' | 'number'> = { talk: 'none', call_id: '', number: '' }
  private wish: string | null = null
  private wishEnds: ReturnType<typeof setTimeout> | undefined
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly sip: Sip,
    private readonly account: Account,
    private readonly ends: LineEnds,
  ) {}

  /** Registers, and stays registered through every cut until `close`. */
  open(): void {
    const socket = new this.sip.WebSocketInterface(this.account.wss_url)
    const ua = new this.sip.UA({
      sockets: socket as UAConfiguration['sockets'],
      uri: this.account.uri,
      authorization_user: this.account.username,
      password: this.account.password,
      register_expires: EXPIRES_S,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: 'hotline-page',
    })
    this.ua = ua
    ua.on('registered', () => this.registered())
    ua.on('unregistered', () => this.ends.tell({ registration: 'lost' }))
    ua.on('disconnected', () => this.ends.tell({ registration: 'lost' }))
    ua.on('registrationFailed', (event) => this.refused(event))
    ua.on('newRTCSession', (event: RTCSessionEvent) => this.incoming(event))
    ua.start()
  }

  /** Answers what rings; what does not ring yet is answered when it does (`call_id` "": a call that is no citizen's). */
  answer(call_id: string): void {
    this.forget()
    this.wish = call_id
    this.wishEnds = setTimeout(() => this.forget(), WISH_MS)
    this.grant()
  }

  /** The wish is void: the offer went elsewhere, or dialling failed. */
  forget(): void {
    clearTimeout(this.wishEnds)
    this.wish = null
  }

  /** Sends a key of the telephone (0-9, *, #). */
  press(key: string): void {
    if (this.view.talk === 'talking') this.session?.sendDTMF(key, { transportType: 'RFC2833' as never })
  }

  /** Sends another microphone's sound from now on; the talk goes on. */
  async replace(track: MediaStreamTrack): Promise<void> {
    const connection = this.session?.connection as RTCPeerConnection | undefined
    const sender = connection?.getSenders().find((one) => one.track === null || one.track.kind === 'audio')
    await sender?.replaceTrack(track)
  }

  /** Calls the exchange's echo with `sound`; gives what comes back. Rejects when it is not reached, or somebody rings. */
  echo(sound: MediaStream): Promise<{ heard: MediaStream; end(): void }> {
    const { ua } = this
    if (!ua || this.session || this.test) return Promise.reject(new Error('busy'))
    return new Promise((resolve, reject) => {
      let heard: MediaStream | null = null
      const session = ua.call(this.account.uri.replace(/^sip:[^@]*/, `sip:${ECHO}`), { mediaStream: sound, pcConfig: { iceServers: [] } })
      this.test = session
      const end = (): void => {
        if (!session.isEnded()) session.terminate()
      }
      const late = setTimeout(end, ECHO_WITHIN_MS)
      const over = (): void => {
        clearTimeout(late)
        if (this.test === session) this.test = null
        reject(new Error('no echo'))
      }
      const listen = (connection: RTCPeerConnection): void =>
        connection.addEventListener('track', (event) => (heard = event.streams[0] ?? new MediaStream([event.track])))
      if (session.connection) listen(session.connection)
      else session.on('peerconnection', ({ peerconnection }) => listen(peerconnection))
      session.on('confirmed', () => {
        clearTimeout(late)
        if (heard) resolve({ heard, end })
        else end()
      })
      session.on('ended', over)
      session.on('failed', over)
    })
  }

  /** Ends everything. A talk that is cut by this is told as a fault; gives its call, null when there was no talk. */
  close(): string | null {
    clearTimeout(this.retry)
    this.forget()
    const cut = this.view.talk === 'talking' || this.view.talk === 'answering' ? this.view.call_id : null
    const { session, ua } = this
    this.ua = null
    if (session && !session.isEnded()) {
      session.terminate(session.isEstablished() ? { extraHeaders: [PAGE_LEFT] } : { status_code: UNAVAILABLE })
    }
    this.endTest()
    ua?.stop()
    this.over()
    this.ends.tell({ registration: 'off' })
    return cut
  }

  private registered(): void {
    clearTimeout(this.retry)
    this.ends.tell({ registration: 'registered' })
  }

  private refused(event: UnRegisteredEvent): void {
    const known = event.response as { status_code?: number } | null
    this.ends.tell({ registration: known?.status_code === 401 || known?.status_code === 403 ? 'refused' : 'lost' })
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.ua?.isConnected() && this.ua.register(), AGAIN_MS)
  }

  private incoming(event: RTCSessionEvent): void {
    if (!isIncoming(event)) return
    const { session, request } = event
    if (this.session) return session.terminate({ status_code: BUSY })
    this.endTest()
    this.session = session
    session.on('peerconnection', ({ peerconnection }) => peerconnection.addEventListener('track', (track) => this.ends.play(track.streams[0] ?? new MediaStream([track.track]))))
    session.on('confirmed', () => this.happened('up'))
    session.on('getusermediafailed', () => this.ends.tell({ registration: 'no_microphone' }))
    session.on('ended', () => this.session === session && this.over())
    session.on('failed', () => this.session === session && this.over())
    this.view = { ...this.view, call_id: request.getHeader(CALL_HEADER) ?? '', number: session.remote_identity.uri.user ?? '' }
    this.happened('ring')
    this.grant()
  }

  private grant(): void {
    if (this.view.talk !== 'ringing' || this.wish === null || this.wish !== this.view.call_id) return
    this.forget()
    this.happened('answer')
    const sound = this.ends.microphone()
    this.session?.answer({ ...(sound ? { mediaStream: sound } : { mediaConstraints: { audio: true, video: false } }), pcConfig: { iceServers: [] } })
  }

  /** Whoever rings comes before a test. */
  private endTest(): void {
    const { test } = this
    this.test = null
    if (test && !test.isEnded()) test.terminate()
  }

  private over(): void {
    this.session = null
    this.ends.play(null)
    this.view = { ...this.view, call_id: '', number: '' }
    this.happened('over')
  }

  private happened(event: TalkEvent): void {
    this.view = { ...this.view, talk: talkAfter(this.view.talk, event) }
    this.ends.tell(this.view)
  }
}

function isIncoming(event: RTCSessionEvent): event is IncomingRTCSessionEvent {
  return (event.originator as string) === 'remote'
}
