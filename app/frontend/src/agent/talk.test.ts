import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ref } from 'vue'

const call = ref<{ call_id: string; muted_ms: number | null; held: boolean } | null>(null)
const inBrowser = ref(true)
const phone = ref({ muted: false, talk: 'talking' })
const live = ref<{ ended: { call_id: string; why: string } | null }>({ ended: null })
let sent: { name: string; args: Record<string, unknown>; done: (worked: boolean) => void }[] = []
const act = (name: string, args: Record<string, unknown>): Promise<boolean> => new Promise((done) => sent.push({ name, args, done }))

vi.mock('./desk', () => ({ act: (name: string, args: Record<string, unknown>) => act(name, args), agent: ref(null), call, inBrowser }))
vi.mock('../phone/phone', () => ({ phone, ownsPhone: () => true, mutePhone: (on: boolean) => (phone.value = { ...phone.value, muted: on }) }))
vi.mock('../realtime/store', () => ({ live, serverNow: ref(1_000) }))
const { hangUp, leaving, muted, mutedSince, surprised, toggleMute } = await import('./talk')

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  call.value = { call_id: 'c1', muted_ms: null, held: false }
  phone.value = { muted: false, talk: 'talking' }
  leaving.value = ''
})
afterEach(() => void vi.useRealTimers())

const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined)

describe('muting', () => {
  it('silences the page’s phone before the exchange has heard of it', async () => {
    void toggleMute()
    expect([phone.value.muted, muted.value, mutedSince.value]).toEqual([true, true, 1_000])
    expect(sent.map((one) => one.args)).toEqual([{ call_id: 'c1', on: true }])
    call.value = { ...call.value!, muted_ms: 1_200 }
    sent[0]!.done(true)
    await settle()
    expect([muted.value, mutedSince.value]).toEqual([true, 1_200])
  })

  it('the last press counts, however slow the line is', async () => {
    void toggleMute()
    void toggleMute()
    void toggleMute()
    void toggleMute()
    expect([phone.value.muted, sent.length]).toEqual([false, 1])
    sent[0]!.done(true)
    await settle()
    expect(sent.map((one) => one.args.on)).toEqual([true, false])
    sent[1]!.done(true)
    await settle()
    expect([muted.value, sent.length]).toEqual([false, 2])
  })

  it('without the exchange the phone stays silent: better unheard than overheard', async () => {
    void toggleMute()
    sent[0]!.done(false)
    await settle()
    expect([phone.value.muted, muted.value]).toEqual([true, true])
  })

  it('on a desk phone is what the exchange says', async () => {
    inBrowser.value = false
    void toggleMute()
    sent[0]!.done(false)
    await settle()
    expect([phone.value.muted, muted.value]).toEqual([false, false])
    inBrowser.value = true
  })
})

describe('hanging up', () => {
  it('counts once until the call is gone, and again when it was refused', async () => {
    void hangUp()
    void hangUp()
    expect(sent.length).toBe(1)
    sent[0]!.done(false)
    await settle()
    void hangUp()
    sent[1]!.done(true)
    await settle()
    void hangUp()
    expect([sent.length, leaving.value]).toEqual([2, 'c1'])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(leaving.value).toBe('')
  })

  it('by the citizen is a surprise for a moment, by the agent is none', async () => {
    leaving.value = 'c1'
    live.value = { ended: { call_id: 'c1', why: 'hangup' } }
    await settle()
    expect(surprised()).toBe(false)
    live.value = { ended: { call_id: 'c3', why: 'left' } } // a transfer
    await settle()
    expect(surprised()).toBe(false)
    live.value = { ended: { call_id: 'c2', why: 'hangup' } }
    await settle()
    expect(surprised()).toBe(true)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(surprised()).toBe(false)
  })
})
