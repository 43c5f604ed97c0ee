// Pure: a case being written here while others may write it too. What is unsent, what the server knows, what collides.
import type { Case, CaseFields, Draft, FieldName } from '../../api/types'

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
}

export const FIELD_NAMES = Object.keys(EMPTY) as FieldName[]
const SENT_KEPT = 20
const REQUIRED: FieldName[] = ['type', 'title', 'content']

export type Trouble = 'offline' | 'retrying' | 'signed_out' | 'rejected'

export type Sent = Partial<Record<FieldName, unknown[]>>

export interface Clash {
  version: number
  by: string | null
  theirs: CaseFields
  fields: FieldName[]
}

export interface DraftState {
  /** null while the stored draft is not known yet: text is kept here until it is. */
  case_id: number | null
  case_number: string
  version: number
  state: string
  /** The fields as the server last told them. */
  base: CaseFields
  /** Written here and not acknowledged. */
  mine: Partial<CaseFields>
  /** Values that went out since the last acknowledgement: its answer may have been lost, so what comes back equal is ours. */
  sent: Sent
  inFlight: Partial<CaseFields> | null
  trouble: Trouble | null
  troubleText: string
  clash: Clash | null
  savedAt: number | null
}

export function opened(draft: Draft | null, state = 'draft'): DraftState {
  return {
    case_id: draft?.case_id ?? null,
    case_number: draft?.case_number ?? '',
    version: draft?.version ?? 0,
    state,
    base: { ...EMPTY, ...known(draft?.fields) },
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
export const values = (state: DraftState): CaseFields => ({ ...state.base, ...state.inFlight, ...state.mine })

export const unsent = (state: DraftState): boolean => Object.keys(state.mine).length > 0 || state.inFlight !== null

export function edited<F extends FieldName>(state: DraftState, name: F, value: CaseFields[F]): DraftState {
  const mine = { ...state.mine, [name]: value }
  const settled = { ...state.base, ...state.inFlight }[name]
  if (settled === value) delete mine[name]
  return { ...state, mine }
}

/** Whether there is something to send and nothing in its way. */
export const canSend = (state: DraftState): boolean =>
  state.case_id !== null && state.inFlight === null && state.clash === null && Object.keys(state.mine).length > 0

export function sending(state: DraftState): DraftState {
  const sent: Sent = { ...state.sent }
  for (const [name, value] of Object.entries(state.mine)) {
    const field = name as FieldName
    sent[field] = [...(sent[field] ?? []), value].slice(-SENT_KEPT)
  }
  return { ...state, inFlight: state.mine, mine: {}, sent }
}

export function acknowledged(state: DraftState, version: number, at: number): DraftState {
  return { ...state, version, base: { ...state.base, ...state.inFlight }, inFlight: null, sent: {}, trouble: null, troubleText: '', savedAt: at }
}

export function failed(state: DraftState, trouble: Trouble, text = ''): DraftState {
  return { ...state, mine: { ...state.inFlight, ...state.mine }, inFlight: null, trouble, troubleText: text }
}

/**
 * The server holds another version. Fields that only they changed are taken, fields that only we changed stay ours and
 * go out again; a field that both changed to different values is a clash, for the person to decide.
 */
export function met(state: DraftState, current: Pick<Case, 'version' | 'fields' | 'state'>, by: string | null): DraftState {
  const mine = { ...state.inFlight, ...state.mine }
  const theirs = { ...EMPTY, ...known(current.fields) }
  const fields = FIELD_NAMES.filter(
    (name) => name in mine && theirs[name] !== state.base[name] && theirs[name] !== mine[name] && !state.sent[name]?.includes(theirs[name]),
  )
  const left = Object.fromEntries(Object.entries(mine).filter(([name, value]) => theirs[name as FieldName] !== value)) as Partial<CaseFields>
  const next = { ...state, version: current.version, state: current.state, inFlight: null, sent: {}, trouble: null, troubleText: '' }
  if (!fields.length) return { ...next, base: theirs, mine: left, clash: null }
  return { ...next, base: theirs, mine: left, clash: { version: current.version, by, theirs, fields } }
}

/** The person's choice for each field in the clash. */
export function decided(state: DraftState, choice: Partial<Record<FieldName, 'mine' | 'theirs'>>): DraftState {
  if (!state.clash) return state
  const mine = { ...state.mine }
  for (const name of state.clash.fields) if (choice[name] !== 'mine') delete mine[name]
  return { ...state, mine, clash: null }
}

/** The stored draft became known (a late card), or changed: our unsent text stays on top. */
export function attached(state: DraftState, draft: Draft, caseState = 'draft'): DraftState {
  if (state.case_id === null) return { ...state, case_id: draft.case_id, case_number: draft.case_number, version: draft.version, base: { ...EMPTY, ...known(draft.fields) } }
  if (draft.version <= state.version) return state
  return met(state, { version: draft.version, fields: { ...EMPTY, ...known(draft.fields) }, state: caseState }, null)
}

/** Required fields that are empty, in the form's order. */
export function missing(fields: CaseFields): FieldName[] {
  return REQUIRED.filter((name) => String(fields[name]).trim() === '')
}

/** The first sentence of the matter, short enough for a title. */
export function titleFrom(content: string): string {
  const first = content.trim().split(/[。！？；\n]/)[0] ?? ''
  return first.length > 40 ? `${first.slice(0, 39)}…` : first
}

function known(fields: Partial<CaseFields> | null | undefined): Partial<CaseFields> {
  const given = fields ?? {}
  const kept: Record<string, unknown> = {}
  for (const name of FIELD_NAMES) {
    const value = given[name]
    if (value !== undefined && value !== null) kept[name] = value
  }
  return kept as Partial<CaseFields>
}
