// What the server says of recordings beyond the sound itself. Moments are milliseconds from the beginning of a recording.

export interface Peaks {
  per_second: number
  left: string
  right: string
}

export type Channel = 'citizen' | 'agent'

export interface Line {
  id: number
  channel: Channel
  speaker: string
  start_ms: number
  end_ms: number
  text: string
  source: string
  confidence: number | null
}

export interface Comment {
  id: number
  at_ms: number
  text: string
  by_name: string
  at: string
  changed_at: string | null
  removed_at: string | null
  mine: boolean
}

/** A confidential part of a call in which nothing was recorded. */
export interface Pause {
  since: string
  until: string | null
  by_agent?: string | null
  ended_by?: string | null
}

export interface Heard {
  recording_id: number
  call_id: string
  segment: number
  agent_id: string | null
  started_at: string
  lines: { channel: Channel; start_ms: number; parts: { text: string; found: boolean }[] }[]
}
