// Days of the roster: weeks from Monday to Sunday, and who stands where on which.

export interface Turn {
  day: string
  post: string
  user_id: number
  name: string
  note: string
  version: number
}

export interface Person {
  user_id: number
  name: string
}

export interface Fault {
  day: string
  post: string
  why: 'empty' | 'twice' | 'not_theirs'
}

export interface Roster {
  days: { day: string; working: boolean }[]
  sections: string[]
  people: Record<string, Person[]>
  turns: Turn[]
  faults: Fault[]
}

const DAY_MS = 86_400_000
const iso = (at: Date): string => at.toISOString().slice(0, 10)

/** The Monday of the week of `day` ("2026-11-26" → "2026-11-23"). */
export function monday(day: string): string {
  const at = new Date(`${day}T00:00:00Z`)
  return iso(new Date(at.getTime() - ((at.getUTCDay() + 6) % 7) * DAY_MS))
}

/** `day` and so many days more. */
export const plus = (day: string, days: number): string => iso(new Date(new Date(`${day}T00:00:00Z`).getTime() + days * DAY_MS))

/** The posts that a day needs, in the order of the table. */
export const postsOf = (working: boolean, sections: string[]): string[] => (working ? [...sections, 'leader'] : ['office', 'leader'])

/** Who stands at that post on that day. */
export const turnAt = (roster: Roster, day: string, post: string): Turn | undefined => roster.turns.find((one) => one.day === day && one.post === post)

/** What is wrong there. */
export const faultAt = (roster: Roster, day: string, post: string): Fault | undefined => roster.faults.find((one) => one.day === day && one.post === post)
