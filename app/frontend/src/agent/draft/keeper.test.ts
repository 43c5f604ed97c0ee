import { beforeEach, describe, expect, it } from 'vitest'
import { ApiError } from '../../api/http'
import type { Case, CaseFields, Draft } from '../../api/types'
import { EMPTY, missing, titleFrom, unsent, values } from './core'
import { forgetOthers, found, keep } from './kept'
import type { Shelf } from './kept'
import { DraftKeeper } from './keeper'

class MemoryShelf implements Shelf {
  private readonly map = new Map<string, string>()
  get length(): number {
    return this.map.size
  }
  key = (at: number): string | null => [...this.map.keys()][at] ?? null
  getItem = (key: string): string | null => this.map.get(key) ?? null
  setItem = (key: string, value: string): void => void this.map.set(key, value)
  removeItem = (key: string): void => void this.map.delete(key)
}

class HandTimers {
  private jobs: { at: number; job: () => void }[] = []
  now = 0
  after(ms: number, job: () => void): () => void {
    const entry = { at: this.now + ms, job }
    this.jobs.push(entry)
    return () => (this.jobs = this.jobs.filter((it) => it !== entry))
  }
  async pass(ms: number): Promise<void> {
    const until = this.now + ms
    for (;;) {
      const next = this.jobs.filter((it) => it.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.jobs = this.jobs.filter((it) => it !== next)
      this.now = next.at
      next.job()
      await settled()
    }
    this.now = until
  }
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** The server's side of one case: versions count up, a wrong one is a conflict. */
class FakeServer {
  version = 1
  state = 'draft'
  fields: CaseFields = { ...EMPTY, caller_number: '139' }
  asked = 0 // to save, taken or refused
  saves: Partial<CaseFields>[] = []
  registers = 0
  failures: (number | 'lost-answer')[] = []

  private refuse(version: number): void {
    const failure = this.failures.shift()
    if (typeof failure === 'number') throw new ApiError(failure, 'x', 'x')
    if (version !== this.version) throw new ApiError(409, 'version_conflict', 'x', '', {}, { current: this.whole(), changed_by: '李班长' })
    if (failure === 'lost-answer') this.losing = true
  }
  private losing = false

  save = (_id: number, version: number, fields: Partial<CaseFields>): Promise<{ version: number }> =>
    Promise.resolve().then(() => {
      this.asked += 1
      this.refuse(version)
      this.take(fields)
      this.saves.push(fields)
      if (this.losing) {
        this.losing = false
        throw new ApiError(0, 'network', 'x')
      }
      return { version: this.version }
    })

  register = (_id: number, version: number, fields: Partial<CaseFields>): Promise<Case> =>
    Promise.resolve().then(() => {
      this.refuse(version)
      this.registers += 1
      this.take(fields)
      this.state = 'registered'
      return this.whole()
    })

  take(fields: Partial<CaseFields>): void {
    this.fields = { ...this.fields, ...fields }
    this.version += 1
  }
  whole(): Case {
    return { id: 1, number: 'n1', version: this.version, state: this.state, fields: this.fields } as unknown as Case
  }
  draft(): Draft {
    return { case_id: 1, case_number: 'n1', version: this.version, fields: { ...this.fields } }
  }
}

let server: FakeServer
let shelf: MemoryShelf
let timers: HandTimers
let keeper: DraftKeeper

const make = (tab = 'a'): DraftKeeper => new DraftKeeper({ tab, owner: '7', empty: EMPTY, shelf, timers, now: () => timers.now, save: server.save, register: server.register })
const shown = (): CaseFields => values(keeper.state.value)

beforeEach(() => {
  server = new FakeServer()
  shelf = new MemoryShelf()
  timers = new HandTimers()
  keeper = make()
  keeper.open(server.draft())
})

describe('writing', () => {
  it('reaches the server within a second of the first letter, also while typing goes on', async () => {
    for (const text of ['停', '停水', '停水三', '停水三天']) {
      keeper.edit('content', text)
      await timers.pass(300)
    }
    expect(server.saves.length).toBeGreaterThanOrEqual(1)
    await timers.pass(1000)
    expect(server.fields.content).toBe('停水三天')
    expect(unsent(keeper.state.value)).toBe(false)
  })

  it('sends only what changed, and nothing when it was changed back', async () => {
    keeper.edit('title', '停水')
    await timers.pass(1000)
    expect(server.saves).toEqual([{ title: '停水' }])
    keeper.edit('title', '停')
    keeper.edit('title', '停水')
    await timers.pass(1000)
    expect(server.saves.length).toBe(1)
  })

  it('is sent at once when the field is left', async () => {
    keeper.edit('title', '停水')
    await keeper.flush()
    expect([server.fields.title, timers.now]).toEqual(['停水', 0])
  })

  it('is kept on this computer until the server has it, and only until then', async () => {
    keeper.edit('title', '停水')
    expect(found(shelf, '7').map((it) => it.mine)).toEqual([{ title: '停水' }])
    expect(found(shelf, '8')).toEqual([])
    await timers.pass(1000)
    expect(shelf.length).toBe(0)
  })

  it('what is typed while a save is under way goes out next', async () => {
    keeper.edit('title', 'a')
    const saving = keeper.flush()
    keeper.edit('title', 'ab')
    await saving
    expect(shown().title).toBe('ab')
    await timers.pass(1000)
    expect(server.fields.title).toBe('ab')
  })

  it('an old card is brought up to what is stored, with what is being written on top', async () => {
    const old = server.draft()
    server.take({ content: '先前写的' })
    keeper = make()
    keeper.open(old)
    keeper.edit('title', '停水')
    keeper.refresh(server.whole())
    expect(shown()).toMatchObject({ content: '先前写的', title: '停水' })
    await timers.pass(1000)
    expect(server.fields).toMatchObject({ content: '先前写的', title: '停水' })
  })

  it('before the stored draft is known waits for it, then goes out', async () => {
    keeper = make()
    keeper.open(null)
    keeper.edit('content', '急')
    await timers.pass(3000)
    expect(server.saves).toEqual([])
    keeper.attach(server.draft())
    await timers.pass(0)
    expect(server.fields).toMatchObject({ content: '急', caller_number: '139' })
  })
})

describe('trouble', () => {
  it('a network that is away loses nothing and is tried again', async () => {
    server.failures = [0, 503]
    keeper.edit('title', '停水')
    await timers.pass(800)
    expect(keeper.state.value.trouble).toBe('offline')
    await timers.pass(1000)
    expect(keeper.state.value.trouble).toBe('retrying')
    await timers.pass(2000)
    expect([server.fields.title, keeper.state.value.trouble]).toEqual(['停水', null])
  })

  it('an ended login waits for the next one', async () => {
    server.failures = [401]
    keeper.edit('title', '停水')
    await timers.pass(60_000)
    expect([keeper.state.value.trouble, server.saves.length]).toEqual(['signed_out', 0])
    keeper.hurry()
    await timers.pass(0)
    expect(server.fields.title).toBe('停水')
  })

  it('a page that died comes back with its text', async () => {
    keeper.edit('content', '没发出去的话')
    keeper = make()
    keeper.open(server.draft())
    expect([shown().content, keeper.restored.value]).toEqual(['没发出去的话', true])
    await timers.pass(0)
    expect(server.fields.content).toBe('没发出去的话')
  })

  it('a broken entry on the shelf is thrown away', () => {
    shelf.setItem('hotline.draft.7.1', '{nonsense')
    expect(found(shelf, '7')).toEqual([])
    expect(shelf.length).toBe(0)
  })
})

describe('two who write the same case', () => {
  it('different fields are merged without a question', async () => {
    server.take({ area: '城南区' })
    keeper.edit('title', '停水')
    await timers.pass(1000)
    expect(keeper.state.value.clash).toBeNull()
    expect(server.fields).toMatchObject({ title: '停水', area: '城南区' })
  })

  it('the same field is a question, and nothing is sent until it is answered', async () => {
    server.take({ title: '停电' })
    keeper.edit('title', '停水')
    await timers.pass(5000)
    expect(keeper.state.value.clash).toMatchObject({ by: '李班长', fields: ['title'] })
    expect(server.fields.title).toBe('停电')
    keeper.decide({ title: 'mine' })
    await timers.pass(0)
    expect(server.fields.title).toBe('停水')
  })

  it('theirs can be taken', async () => {
    server.take({ title: '停电' })
    keeper.edit('title', '停水')
    await timers.pass(1000)
    keeper.decide({ title: 'theirs' })
    await timers.pass(1000)
    expect([shown().title, server.fields.title]).toEqual(['停电', '停电'])
  })

  it('one’s own save whose answer was lost is no quarrel with oneself', async () => {
    server.failures = ['lost-answer']
    keeper.edit('title', '停')
    await timers.pass(800)
    keeper.edit('title', '停水')
    await timers.pass(5000)
    expect(keeper.state.value.clash).toBeNull()
    expect(server.fields.title).toBe('停水')
  })
})

describe('registering', () => {
  it('waits for an autosave that waits for another, and never meets it at the server', async () => {
    keeper.edit('content', '停水')
    const first = keeper.flush()
    keeper.edit('content', '停水三天')
    const second = keeper.flush()
    const saved = await keeper.register()
    await Promise.all([first, second])
    expect([saved.fields.content, server.registers, keeper.state.value.trouble]).toEqual(['停水三天', 1, null])
  })

  it('lets no autosave go beside it: a field left meanwhile waits for the answer', async () => {
    keeper.edit('content', '停水')
    const registering = keeper.register()
    const left = keeper.flush()
    await Promise.all([registering, left])
    expect([server.registers, server.asked]).toEqual([1, 0])
  })

  it('happens once however often it is asked', async () => {
    keeper.edit('title', '停水')
    const [first, second] = await Promise.all([keeper.register(), keeper.register()])
    expect([first.number, second.number, server.registers]).toEqual(['n1', 'n1', 1])
    expect(server.fields.title).toBe('停水')
    expect(shelf.length).toBe(0)
  })

  it('keeps what is typed after it', async () => {
    const registering = keeper.register()
    keeper.edit('answer', '已告知')
    await registering
    expect(shown().answer).toBe('已告知')
    await timers.pass(1000)
    expect(server.fields.answer).toBe('已告知')
  })
})

it('says what is missing only for what is required', () => {
  expect(missing({ ...EMPTY, content: '  ' })).toEqual(['type', 'title', 'content'])
  expect(missing({ ...EMPTY, type: 'help', title: 'x', content: 'y' })).toEqual([])
})

it('makes a title of the first sentence', () => {
  expect(titleFrom(' 停水三天。要求恢复。')).toBe('停水三天')
  expect(titleFrom('长'.repeat(60)).length).toBe(40)
})

it('forgets the texts of earlier rounds of the same reply, and nobody else’s', () => {
  const shelf = new MemoryShelf()
  for (const key of ['reply-1-7.4', 'reply-2-7.4', 'reply-1-8.4', 'reply-1-7.14', '7.4']) shelf.setItem(`hotline.draft.${key}`, '{}')
  forgetOthers(shelf, 'reply-2-7', 4, (other) => other.startsWith('reply-') && other.endsWith('-7'))
  expect([0, 1, 2, 3, 4].map(shelf.key)).toEqual(['hotline.draft.reply-2-7.4', 'hotline.draft.reply-1-8.4', 'hotline.draft.reply-1-7.14', 'hotline.draft.7.4', null])
})

describe('several pages of one person', () => {
  it('each keep their own: what one has sent takes nothing from another, and whoever opens the case takes over all of it', async () => {
    const other = make('b')
    other.open(server.draft())
    server.failures = [503]
    keeper.edit('content', '第一页写的')
    await timers.pass(700)
    other.edit('title', '第二页写的')
    await timers.pass(700)
    expect(server.fields.title).toBe('第二页写的')
    expect(found(shelf, '7').map((one) => one.mine)).toEqual([{ content: '第一页写的' }])
    // The first page dies with its text unsent.
    const third = make('c')
    third.open(server.draft())
    expect([values(third.state.value).content, third.restored.value]).toEqual(['第一页写的', true])
    await timers.pass(100)
    expect([server.fields.content, server.fields.title]).toEqual(['第一页写的', '第二页写的'])
    await timers.pass(5000) // the first lives after all and sends the same again
    expect(keeper.state.value.clash).toBeNull()
    expect(found(shelf, '7')).toEqual([])
  })

  it('the later of two texts for one field is the one that comes back', () => {
    const state = { ...keeper.state.value, case_id: 1 }
    keep(shelf, '7', { ...state, mine: { title: '早', content: '只有这里' } }, 1, 'x')
    keep(shelf, '7', { ...state, mine: { title: '晚' } }, 2, 'y')
    const next = make('z')
    next.open(server.draft())
    expect(values(next.state.value)).toMatchObject({ title: '晚', content: '只有这里' })
    expect(found(shelf, '7').map((one) => one.key)).toEqual(['hotline.draft.7.1~z'])
  })
})

describe('what the server writes in its own way', () => {
  it('is no quarrel: blanks at the end, another spelling of a telephone', async () => {
    keeper.edit('title', '停水 ')
    keeper.edit('caller_number', '+86 138 0013 8000')
    await timers.pass(700)
    server.take({ title: '停水', caller_number: '13800138000', address: '别人写的' })
    keeper.edit('title', '停水三天')
    keeper.edit('caller_number', '138-0013-8000')
    await timers.pass(2000)
    expect(keeper.state.value.clash).toBeNull()
    expect(server.fields).toMatchObject({ title: '停水三天', address: '别人写的' })
  })
})

it('answers at once by another request, once, however often it is pressed', async () => {
  const asked: number[] = []
  const answer: typeof server.register = (id, version, fields) => {
    asked.push(version)
    return server.register(id, version, fields)
  }
  const both = await Promise.all([keeper.register(answer), keeper.register(answer)])
  expect([asked, server.registers]).toEqual([[1], 1])
  expect(both[0]).toBe(both[1])
})
