// Sends what is written within a second, keeps it here until the server has it, and registers a case once (or hands a reply in).
import { shallowRef } from 'vue'
import type { ShallowRef } from 'vue'
import type { ApiError } from '../../api/http'
import type { CaseFields } from '../../api/types'
import type { Timers } from '../../realtime/timers'
import { acknowledged, attached, canSend, decided, edited, failed, met, opened, sending, unsent, values } from './core'
import type { DraftState, NameOf, Opening, Stored } from './core'
import { found, keep, revived, TAB, takenOver } from './kept'
import type { Shelf } from './kept'

export interface KeeperEnds<F = CaseFields> {
  owner: string
  /** Every field there is, without a value. */
  empty: F
  shelf: Shelf
  timers: Timers
  now(): number
  save(case_id: number, version: number, fields: Partial<F>, keepalive: boolean): Promise<{ version: number }>
  register(case_id: number, version: number, fields: Partial<F>): Promise<Stored<F>>
  /** Which page this is, where there are several. */
  tab?: string
}

/** Typing reaches the server at most this long after it stopped, and while it goes on. */
const SEND_AFTER_MS = 700
const RETRY_MS = [1000, 2000, 4000, 8000]

export class DraftKeeper<F extends object = CaseFields> {
  readonly state: ShallowRef<DraftState<F>>
  /** True when text that had not reached the server was found on this computer. */
  readonly restored = shallowRef(false)
  private stop: (() => void) | null = null
  private tries = 0
  private closed = false
  private running: Promise<void> | null = null
  private registering: Promise<Stored<F>> | null = null

  constructor(private readonly ends: KeeperEnds<F>) {
    this.state = shallowRef(opened<F>(null, 'draft', ends.empty))
  }

  open(draft: Opening<F> | null, state = 'draft'): void {
    this.set(opened(draft, state, this.ends.empty))
    const kept = draft ? found<F>(this.ends.shelf, this.ends.owner).filter((it) => it.case_id === draft.case_id) : []
    if (!draft || !kept.length) return
    const old = revived(this.state.value, kept)
    this.restored.value = true
    this.set(old.version >= draft.version ? old : met(old, { version: draft.version, fields: this.state.value.base, state }, null))
    this.keep()
    takenOver(this.ends.shelf, kept, (key) => key.endsWith(`~${this.tab}`))
    this.schedule(0)
  }

  attach(draft: Opening<F>): void {
    this.set(attached(this.state.value, draft))
    if (canSend(this.state.value)) this.schedule(0)
  }

  /** The case as it is stored now: newer than the draft that was opened, if others (or an earlier page) wrote to it. */
  refresh(stored: Stored<F>): void {
    const state = this.state.value
    if (state.case_id !== stored.id || stored.version <= state.version) return
    this.set(met(state, stored, null))
    if (canSend(this.state.value)) this.schedule(0)
  }

  edit<N extends NameOf<F>>(name: N, value: F[N]): void {
    this.set(edited(this.state.value, name, value))
    this.keep()
    if (!this.stop) this.schedule(SEND_AFTER_MS)
  }

  /** Sends now: a field was left, the page is hidden (`leaving`: the request may outlive the page). */
  async flush(leaving = false): Promise<void> {
    this.unschedule()
    // One request at a time: two that name the same version quarrel, and the agent is told that somebody else wrote.
    // Only a page that is about to vanish does not wait for the answer to a registration.
    for (let under = this.under(leaving); under; under = this.under(leaving)) await under.catch(() => undefined)
    if (!canSend(this.state.value)) return
    this.running = this.send(leaving).finally(() => (this.running = null))
    await this.running
  }

  /** Registers the case, by another request if `how` is one; a second call while the first is under way gives the same one.
      Throws ApiError. */
  register(how: KeeperEnds<F>['register'] = this.ends.register): Promise<Stored<F>> {
    this.registering ??= this.registerOnce(how).finally(() => (this.registering = null))
    return this.registering
  }

  decide(choice: Partial<Record<NameOf<F>, 'mine' | 'theirs'>>): void {
    this.set(decided(this.state.value, choice))
    this.keep()
    this.schedule(0)
  }

  /** The network or the login is back. */
  hurry(): void {
    this.tries = 0
    if (unsent(this.state.value)) this.schedule(0)
  }

  /** Sends what is left and ends. */
  async close(): Promise<void> {
    await this.flush().catch(() => undefined)
    this.closed = true
    this.unschedule()
  }

  private under(leaving: boolean): Promise<unknown> | null {
    return this.running ?? (leaving ? null : this.registering)
  }

  private get tab(): string {
    return this.ends.tab ?? TAB
  }

  private keep(): void {
    keep(this.ends.shelf, this.ends.owner, this.state.value, this.ends.now(), this.tab)
  }

  private async registerOnce(how: KeeperEnds<F>['register']): Promise<Stored<F>> {
    while (this.running) await this.running
    this.unschedule()
    const state = this.state.value
    if (state.case_id === null) throw new Error('no stored draft yet')
    try {
      const saved = await how(state.case_id, state.version, state.mine)
      const later = this.state.value
      // What was typed while the answer was on its way stays ours and goes out as a change.
      const typed = Object.fromEntries(Object.entries(later.mine).filter(([name, value]) => state.mine[name as NameOf<F>] !== value)) as Partial<F>
      const stored = { case_id: saved.id, case_number: saved.number, version: saved.version, fields: saved.fields }
      this.set({ ...opened(stored, saved.state, this.ends.empty), mine: typed, savedAt: this.ends.now() })
      this.keep()
      if (unsent(this.state.value)) this.schedule(SEND_AFTER_MS)
      return saved
    } catch (error) {
      this.meet(error as ApiError)
      throw error
    }
  }

  private async send(leaving: boolean): Promise<void> {
    this.set(sending(this.state.value))
    const { case_id, version, inFlight } = this.state.value
    if (case_id === null || inFlight === null) return
    try {
      const answer = await this.ends.save(case_id, version, inFlight, leaving)
      this.tries = 0
      this.set(acknowledged(this.state.value, answer.version, this.ends.now()))
      this.keep()
      if (unsent(this.state.value)) this.schedule(SEND_AFTER_MS)
    } catch (error) {
      this.fail(error as ApiError)
    }
  }

  private fail(error: ApiError): void {
    if (this.meet(error)) return
    if (error.status === 401) return this.set(failed(this.state.value, 'signed_out'))
    if (error.status === 0 || error.status >= 500 || error.status === 429) {
      this.set(failed(this.state.value, error.status === 0 ? 'offline' : 'retrying'))
      this.schedule(RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)] ?? 8000)
      return
    }
    this.set(failed(this.state.value, 'rejected', error.message))
  }

  /** Another version at the server: merge, and go on when nothing clashes. */
  private meet(error: ApiError): boolean {
    const body = error.body as { current?: Stored<F>; changed_by?: string | null } | null
    if (error.status !== 409 || !body?.current) return false
    this.set(met(this.state.value, body.current, body.changed_by ?? null))
    this.keep()
    if (canSend(this.state.value)) this.schedule(0)
    return true
  }

  private schedule(after: number): void {
    this.unschedule()
    if (this.closed) return
    this.stop = this.ends.timers.after(after, () => {
      this.stop = null
      void this.flush()
    })
  }

  private unschedule(): void {
    this.stop?.()
    this.stop = null
  }

  private set(next: DraftState<F>): void {
    this.state.value = next
  }
}

/** The form's fields as they are now. */
export const shown = <F extends object>(keeper: DraftKeeper<F>): F => values(keeper.state.value)
