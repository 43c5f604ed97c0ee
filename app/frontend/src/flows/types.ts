// What the server says of the voice menu (app/flows/shapes.py).

export const KINDS = ['menu', 'number', 'branch', 'set', 'lookup', 'end'] as const
export type Kind = (typeof KINDS)[number]

export interface Exit {
  why: string
  to: string
}

export type Body = Record<string, unknown>

export interface FlowNode {
  id: string
  line: number
  kind: string
  say: string[]
  exits: Exit[]
  body: Body
}

export interface Outline {
  frame: Record<string, unknown>
  nodes: FlowNode[]
}

export interface Fault {
  line: number
  column: number
  node: string
  code: string
  zh: string
  en: string
}

export interface Changes {
  added: string[]
  removed: string[]
  changed: string[]
  frame: string[]
}

export interface Checked {
  faults: Fault[]
  outline: Outline | null
  changes: Changes | null
}

export interface Version {
  number: number
  note: string
  restores: number | null
  nodes: number
  changes: Changes
  made_by_name: string
  since: string
}

export interface Menu {
  number: number
  text: string
  own: boolean
  overlooked: boolean
  versions: Version[]
}

export interface Words {
  prompts: Record<string, Record<string, string>>
  subjects: { of: string; outcomes: string[] }[]
  languages: string[]
}

export interface Moment {
  node: string
  way: string[]
  language: string
  said: Record<string, string>
  asks: boolean
  given: string | null
  of: string
  fetched: string
  next: string
  transfer_to: string
}

export interface Tried {
  moments: Moment[]
  over: boolean
}
