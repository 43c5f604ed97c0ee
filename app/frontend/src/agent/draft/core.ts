// Pure: a case (or a unit's reply) being written here while others may write it too. What is unsent, what the server knows,
// what collides. `F` are the fields by name.
import type { CaseFields, FieldName } from '../../api/types'

export const EMPTY: CaseFields = {
  type: '',
  title: '',
  content: '',
  caller_name: '',
  caller_number: '',
  area: '',
  address: '',
  confidential: false,
  answer: '',
  answer_source: '',
  proposed_unit: '',
}

const SENT_KEPT = 20
const REQUIRED: FieldName[] = ['type', 'title', 'content']

export type Trouble = 'offline' | 'retrying' | 'signed_out' | 'rejected'

export type NameOf<F> = keyof F & string

export type Sent<F = CaseFields> = Partial<Record<NameOf<F>, unknown[]>>

export interface Clash<F = CaseFields> {
  version: number
  by: string | null
  theirs: F
  fields: NameOf<F>[]
}

/** What is opened: as it was stored when the page learned of it. */
export interface Opening<F = CaseFields> {
  case_id: number
  case_number: string
  version: number
  fields: Partial<F>
}

/** What the server holds now. */
export interface Stored<F = CaseFields> {
  id: number
  number: string
  version: number
  state: string
  fields: F
}

export interface DraftState<F = CaseFields> {
  /** The case, or the assignment whose reply this is; null while the stored draft is not known yet: text is kept here until it is. */
  case_id: number | null
  case_number: string
  version: number
  state: string
  /** Every field there is, without a value. */
  empty: F
  /** The fields as the server last told them. */
  base: F
  /** Written here and not acknowledged. */
  mine: Partial<F>
  /** Values that went out since the last acknowledgement: its answer may have been lost, so what comes back equal is ours. */
  sent: Sent<F>
  inFlight: Partial<F> | null
  trouble: Trouble | null
  troubleText: string
  clash: Clash<F> | null
  savedAt: number | null
}

export function opened<F extends object = CaseFields>(draft: Opening<F> | null, state: string, empty: F): DraftState<F> {
  return {
    case_id: draft?.case_id ?? null,
    case_number: draft?.case_number ?? '',
    version: draft?.version ?? 0,
    state,
    empty,
    base: { ...empty, ...known(empty, draft?.fields) },
    mine: {},
    sent: {},
    inFlight: null,
    trouble: null,
    troubleText: '',
    clash: null,
    savedAt: null,
  }
}

/** What the form shows. */
export const values = <F>(state: DraftState<F>): F => ({ ...state.base, ...state.inFlight, ...state.mine })

export const unsent = <F>(state: DraftState<F>): boolean => Object.keys(state.mine).length > 0 || state.inFlight !== null

export function edited<F, N extends NameOf<F>>(state: DraftState<F>, name: N, value: F[N]): DraftState<F> {
  const mine: Partial<F> = { ...state.mine, [name]: value }
  const settled = { ...state.base, ...state.inFlight }[name]
  if (settled === value) delete mine[name]
  return { ...state, mine }
}

/** Whether there is something to send and nothing in its way. */
export const canSend = <F>(state: DraftState<F>): boolean =>
  state.case_id !== null && state.inFlight === null && state.clash === null && Object.keys(state.mine).length > 0

export function sending<F extends object>(state: DraftState<F>): DraftState<F> {
  const sent: Sent<F> = { ...state.sent }
  for (const [name, value] of Object.entries(state.mine)) {
    const field = name as NameOf<F>
    sent[field] = [...(sent[field] ?? []), value].slice(-SENT_KEPT)
  }
  return { ...state, inFlight: state.mine, mine: {}, sent }
}

export function acknowledged<F>(state: DraftState<F>, version: number, at: number): DraftState<F> {
  return { ...state, version, base: { ...state.base, ...state.inFlight }, inFlight: null, sent: {}, trouble: null, troubleText: '', savedAt: at }
}

export function failed<F>(state: DraftState<F>, trouble: Trouble, text = ''): DraftState<F> {
  return { ...state, mine: { ...state.inFlight, ...state.mine }, inFlight: null, trouble, troubleText: text }
}

/**
 * The server holds another version. Fields that only they changed are taken, fields that only we changed stay ours and
 * go out again; a field that both changed to different values is a clash, for the person to decide.
 */
export function met<F extends object>(state: DraftState<F>, current: Pick<Stored<Partial<F>>, 'version' | 'fields' | 'state'>, by: string | null): DraftState<F> {
  const mine: Partial<F> = { ...state.inFlight, ...state.mine }
  const theirs: F = { ...state.empty, ...known(state.empty, current.fields) }
  const fields = namesOf(state.empty).filter(
    (name) => name in mine && ![state.base[name], mine[name], ...(state.sent[name] ?? [])].some((one) => same(theirs[name], one)),
  )
  const left = Object.fromEntries(Object.entries(mine).filter(([name, value]) => theirs[name as NameOf<F>] !== value)) as Partial<F>
  const next = { ...state, version: current.version, state: current.state, inFlight: null, sent: {}, trouble: null, troubleText: '' }
  if (!fields.length) return { ...next, base: theirs, mine: left, clash: null }
  return { ...next, base: theirs, mine: left, clash: { version: current.version, by, theirs, fields } }
}

const digits = (text: string): string => text.normalize('NFKC').replace(/\D/g, '')
const TELEPHONE = /^[\d\s()（）+*#-]{7,}$/

/** Whether two values are one as the server keeps them: without blanks around them, telephones in one spelling. */
function same(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'string' || typeof other !== 'string') return false
  const [a, b] = [one.normalize('NFC').trim(), other.normalize('NFC').trim()]
  if (a === b) return true
  return TELEPHONE.test(a) && TELEPHONE.test(b) && (digits(a).endsWith(digits(b)) || digits(b).endsWith(digits(a)))
}

/** The person's choice for each field in the clash. */
export function decided<F>(state: DraftState<F>, choice: Partial<Record<NameOf<F>, 'mine' | 'theirs'>>): DraftState<F> {
  if (!state.clash) return state
  const mine = { ...state.mine }
  for (const name of state.clash.fields) if (choice[name] !== 'mine') delete mine[name]
  return { ...state, mine, clash: null }
}

/** The stored draft became known (a late card), or changed: our unsent text stays on top. */
export function attached<F extends object>(state: DraftState<F>, draft: Opening<F>, caseState = 'draft'): DraftState<F> {
  const base = { ...state.empty, ...known(state.empty, draft.fields) }
  if (state.case_id === null) return { ...state, case_id: draft.case_id, case_number: draft.case_number, version: draft.version, base }
  if (draft.version <= state.version) return state
  return met(state, { version: draft.version, fields: base, state: caseState }, null)
}

/** Required fields that are empty, in the form's order; who answers at once has answered something. */
export function missing(fields: CaseFields, answered = false): FieldName[] {
  return [...REQUIRED, ...(answered ? (['answer'] as const) : [])].filter((name) => String(fields[name]).trim() === '')
}

/** The first sentence of the matter, short enough for a title. */
export function titleFrom(content: string): string {
  const first = content.trim().split(/[。！？；\n]/)[0] ?? ''
  return first.length > 40 ? `${first.slice(0, 39)}…` : first
}

const namesOf = <F extends object>(fields: F): NameOf<F>[] => Object.keys(fields) as NameOf<F>[]

/** What is told of the fields that there are. */
function known<F extends object>(empty: F, fields: Partial<F> | null | undefined): Partial<F> {
  const told = (fields ?? {}) as Partial<F>
  return Object.fromEntries(namesOf(empty).flatMap((name) => (told[name] !== undefined && told[name] !== null ? [[name, told[name]]] : []))) as Partial<F>
}
