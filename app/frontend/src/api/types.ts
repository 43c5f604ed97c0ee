// What the server sends: times are ISO 8601 in UTC (`*_at`) or epoch milliseconds (`*_ms`), durations whole seconds (`*_s`).

export interface Page<T> {
  items: T[]
  total: number
  page: number
  page_size: number
}

export interface Me {
  user: { id: number | string; name: string; display_name: string; roles: string[]; permissions?: string[]; must_change_password: boolean }
  agent: { agent_id: string; name: string; endpoint: string; phone_uri?: string } | null
  csrf: string
  server_ms: number
}

export const CASE_TYPES = ['consult', 'help', 'suggestion', 'opinion', 'complaint', 'report', 'praise'] as const

export interface CaseFields {
  type: string
  title: string
  content: string
  caller_name: string
  caller_number: string
  area: string
  address: string
  confidential: boolean
  answer: string
  /** The articles that the answer was taken from (agent/sources.ts). */
  answer_source: string
  /** The code of the unit that whoever took the matter in thinks it is for. */
  proposed_unit: string
}

export type FieldName = keyof CaseFields

export interface CaseRow {
  id: number
  number: string
  type: string | null
  state: string
  title: string
  area: string
  created_at: string
  /** How often the same matter had been ended before. */
  repeats?: number
}

export interface Case {
  id: number
  number: string
  type: string | null
  state: string
  version: number
  call_id: string | null
  source: string
  agent_id: string | null
  agent_name: string | null
  section: string | null
  created_at: string
  updated_at: string
  registered_at: string | null
  /** How often the same matter of the same number had been ended before. */
  repeats?: number
  way?: string | null
  urgency?: string
  due_at?: string | null
  ended_at?: string | null
  /** The citizen is hidden from this reader. */
  masked?: boolean
  fields: CaseFields
  citizen?: Citizen | null
  call?: CallRow | null
  attachments?: { kind: 'voicemail' | 'fax'; id: number }[]
}

export interface CaseEvent {
  at: string
  actor: string | number | null
  actor_name: string | null
  event: string
  from_state: string | null
  to_state: string | null
  detail: Record<string, unknown> | null
}

export interface Citizen {
  id: number
  numbers: string[]
  name: string
  area: string
  language: string
  flags: string[]
  note: string
}

export interface CallRow {
  call_id: string
  number: string
  name: string
  line: string
  language: string
  path: string
  direction: string
  queue: string
  outcome: string | null
  started_at: string
  joined_at: string | null
  answered_at: string | null
  ended_at: string | null
  waited_s: number | null
  talk_s: number | null
  foretold: { low_s: number; high_s: number; came_s: number | null } | null
  agent_id: string | null
  agent_name: string | null
  case_id: number | null
  case_number: string | null
  recordings: number
}

export interface Recording {
  id: number
  call_id: string
  segment: number
  started_at: string
  duration_s: number
  bytes: number
  sha256: string
  chain_ok: boolean | null
  /** null: past retention, or not for this listener. */
  audio_url: string | null
}

export type CallDetail = Omit<CallRow, 'recordings'> & {
  events: { at: string; event: string; detail: unknown }[]
  explain: string[]
  recordings: Recording[]
  thirds: Third[]
  pauses: Pause[]
}

/** Somebody who was rung for a talk. `segment`: the recording that they are heard in, if they met the citizen. */
export interface Third {
  number: string
  unit_id: number | null
  unit_name: string
  kind: string
  by_agent: string
  dialled_at: string
  joined_at: string | null
  left_at: string | null
  outcome: string | null
  segment: number | null
}

/** A part of a talk that was not recorded; `until` is null while it goes on. */
export interface Pause {
  since: string
  until: string | null
  by_agent: string
  ended_by: string | null
}

export interface Voicemail {
  id: number
  call_id: string
  number: string
  started_at: string
  duration_s: number
  status: string
  reason: string | null
  section: string | null
  case_id: number | null
  case_number: string | null
  language: string
  audio_url: string | null
  /** Who wrote down what was said (vosk, hand); null: nobody. */
  text_source: string | null
  /** Where the words stand that were sought. */
  parts: { text: string; found: boolean }[]
}

/** What was said in a message: `text` counts, `lines` are as a machine heard them. */
export interface VoicemailText {
  text: string
  source: string
  confidence: number | null
  version: number
  at: string
  by_name: string
  lines: { start_ms: number; end_ms: number; text: string; confidence: number }[]
}

export interface Fax {
  id: number
  call_id: string
  number: string
  received_at: string
  pages: number
  mode: string
  status: string
  error: string | null
  section: string | null
  case_id: number | null
  case_number: string | null
  pdf_url: string | null
}

export type Language = 'zh' | 'yue' | 'en'

/** Callers who heard an announcement, `whole` of them to its end, and what they did then. */
export interface AnnouncementCallers {
  callers: number
  whole: number
  satisfied: number
  early: number
  person: number
  alone: number
}

/** A language that callers choose in the menu; its voice `reads` texts of others aloud, as Cantonese reads Mandarin. */
export interface AnnouncementVoice {
  language: string
  speaks: boolean
  reads: string[]
}

export interface Announcement {
  id: number
  texts: Partial<Record<string, string>>
  area: string
  priority: number
  active_from: string
  active_until: string
  state: 'active' | 'coming' | 'past'
  /** Callers hear it now: of many at once only the most urgent. */
  heard: boolean
  callers: AnnouncementCallers
  version: number
  created_at: string
  created_by_name: string | null
  updated_at: string | null
  updated_by_name: string | null
}

export interface Callback {
  id: number
  number: string
  call_id: string
  language: string
  queue: string
  state: 'open' | 'taken' | 'dialling' | 'done' | 'given_up' | 'cancelled'
  requested_at: string
  due_at: string
  attempts: number
  most_attempts: number
  agent_id: string | null
  agent_name: string | null
  taken_at: string | null
  closed_at: string | null
  /** How the latest try, or the whole promise, ended. */
  result: string
  /** The queue will dial it by itself when its turn comes. */
  in_line: boolean
}

/** A rule about a caller; `value`: points that are taken away, or calls at a time. */
export interface NuisanceRule {
  id: number
  number: string
  call_id: string
  action: 'announcement' | 'limit' | 'lower_priority'
  value: number
  why: string
  state: 'active' | 'ended' | 'expired'
  until: string
  created_at: string
  created_by_name: string | null
  ended_at: string | null
  ended_by_name: string | null
  end_why: string
}

export interface Opening {
  open: boolean
  next_open: string | null
  opens: string
  closes: string
  days: { day: string; kind: string; opens: string; closes: string; note: string }[]
}

/** What the queues do, in sentences; `live`: the running queue says so, not only the file. */
export interface QueueRules {
  file: 'own' | 'shipped'
  live: boolean
  problem: string
  later: string[]
  opening: Opening
  sections: { queue: string; told: { topic: string; lines: string[] }[] }[]
}

/** A day that differs from Monday to Friday at work. */
export interface WorkDay {
  day: string
  kind: 'holiday' | 'makeup'
  note: string
  source: string
  changed_at: string | null
  changed_by_name: string | null
}

/** A year of the working-day calendar; `provisional`: its days may still change. */
export interface WorkYear {
  year: number
  provisional: boolean
  known: boolean
  published_by: string
  published_on: string | null
  changed_at: string | null
  changed_by_name: string | null
  days: WorkDay[]
}

/** What an import did, or would do; with faults nothing was stored. */
export interface YearImport {
  stored: boolean
  faults: { row: number; column: string; message: string }[]
  days: Pick<WorkDay, 'day' | 'kind' | 'note'>[]
  added: number
  changed: number
  removed: number
}

export interface Counted {
  day: string
  provisional: boolean
}

export interface Limit {
  amount: number
  unit: 'working_days' | 'hours' | 'working_hours'
  warn_percent: number
}

/** How long a step may take for some matters; null where anything will do. */
export interface ClockRule {
  kind: string
  case_type: string | null
  urgency: string | null
  way: string | null
  limit: Limit
  own: boolean
  shipped: Limit | null
  changed_at: string | null
  changed_by_name: string | null
}

export interface Draft {
  case_id: number
  case_number: string
  version: number
  state?: string
  fields: Partial<CaseFields>
}

export interface Card {
  call_id: string
  number: string
  name: string
  line: string
  language: string
  menu_path: string[] | string
  waited_s: number
  joined_ms?: number
  area: string
  citizen: Citizen | null
  flags: string[]
  draft: Draft | null
  open_cases: CaseRow[]
  last_cases: CaseRow[]
  last_calls: CallRow[]
}

export interface User {
  id: number
  name: string
  display_name: string
  roles: string[]
  active: boolean
  last_login_at: string | null
  agent_id: string | null
}

export interface SipAccount {
  username: string
  password: string
  server: string
  port: number
  transport: string
  tls_port: number
  wss_url: string
}

export interface Agent {
  agent_id: string
  user_id: number | null
  name: string
  skills: Record<string, number>
  queues: string[]
  may_dial_out: boolean
  endpoint: string
  phone_registered: boolean | null
}

export interface AuditEntry {
  id: number
  at: string
  actor: string | number | null
  actor_name: string | null
  ip: string | null
  action: string
  object: string | null
  detail: Record<string, unknown> | null
}

export interface Demo {
  citizens: { number: string; language: string; state: string; since_ms: number }[]
  agents: { agent_id: string; name: string; state: string; since_ms: number }[]
  events: { at_ms: number; text_zh: string; text_en: string }[]
  running: boolean
}

export interface UnitRow {
  id: number
  code: string
  name: string
  short_name: string
  kind: 'centre' | 'district' | 'bureau' | 'zone' | 'utility' | 'subordinate' | 'neighbour'
  level: number | null
  parent_id: number | null
  active: boolean
}

export interface UnitPhone {
  kind: 'voice' | 'fax' | 'duty'
  number: string
  note: string
}

export interface Unit extends UnitRow {
  path: UnitRow[]
  duties: string
  topics: string[]
  keywords: string[]
  areas: string[]
  address: string
  office_hours: string
  hours_note: string
  phones: UnitPhone[]
  version: number
  updated_at: string
  updated_by_name: string | null
}

export interface UnitMember {
  id: number
  user_id: number
  account: string
  display_name: string
  role: 'unit_handler' | 'unit_leader'
  since: string
  until: string | null
}

export interface UnitCandidate {
  user_id: number
  account: string
  display_name: string
  roles: UnitMember['role'][]
  units: number
}

/** What an import of cases did, or would do: the numbers of what is new. */
export interface CaseImport {
  created: string[]
  unchanged: number
  faults: { row: number; column: string; told: string }[]
  written: boolean
}

export interface ImportOutcome {
  created: string[]
  changed: string[]
  unchanged: number
  faults: { row: number; column: string; told: string }[]
  written: boolean
}
