// Pure: what the page's own telephone is doing.

/** Towards the exchange. `elsewhere`: another window of this browser has the telephone, and is answered from here. */
export type Registration = 'off' | 'starting' | 'registered' | 'lost' | 'refused' | 'no_microphone' | 'insecure' | 'elsewhere'
export type Talk = 'none' | 'ringing' | 'answering' | 'talking'
export type TalkEvent = 'ring' | 'answer' | 'up' | 'over'

export interface PhoneView {
  registration: Registration
  talk: Talk
  /** The citizen's call that rings or is talked; "" for a call that is none (dialled by oneself, a colleague's). */
  call_id: string
  /** Who calls, as the exchange says. */
  number: string
}

export const OFF: PhoneView = { registration: 'off', talk: 'none', call_id: '', number: '' }

const TALK: Record<Talk, Partial<Record<TalkEvent, Talk>>> = {
  none: { ring: 'ringing' },
  ringing: { answer: 'answering', over: 'none' },
  answering: { up: 'talking', over: 'none' },
  talking: { over: 'none' },
}

/** What follows from an event; whatever does not fit changes nothing. */
export function talkAfter(talk: Talk, event: TalkEvent): Talk {
  return TALK[talk][event] ?? talk
}

/** What sets the page's own telephone apart in an agent's choice of telephones: 1001w beside 1001. */
export function browserEndpoint(agent_id: string): string {
  return `${agent_id}w`
}
