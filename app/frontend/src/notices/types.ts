// What the server sends of notices (app/notices/routes.py).
export interface Notice {
  id: number
  kind: string
  step: string
  /** Null for what is about the knowledge base. */
  case_id: number | null
  number: string
  title: string
  assignment_id: number | null
  article_id: number | null
  /** Of what is about a person's own work. */
  review_id?: number | null
  unit_id: number | null
  unit: string
  due_at: string | null
  at: string
  read_at: string | null
  text: string
  text_en: string
  sent: { channel: string; state: string; tries: number; done_at: string | null }[]
}

export interface Unread {
  unread: number
  urgent: number
}

export interface Contact {
  email: string
  mobile: string
  /** The channels that the office has set up. */
  channels: string[]
}
