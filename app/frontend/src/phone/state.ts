// Pure: what the page's own telephone is doing.
import type { MicrophoneTrouble } from './microphone'

/** Towards the exchange. `elsewhere`: another window of this browser has the telephone, and is told what to do from here.
    `other`: another computer has it, and keeps it until the agent takes it over here. */
export type Registration = 'other' | 'off' | 'starting' | 'registered' | 'lost' | 'refused' | 'no_microphone' | 'insecure' | 'elsewhere'
export type Talk = 'none' | 'ringing' | 'answering' | 'talking'
export type TalkEvent = 'ring' | 'answer' | 'up' | 'over'

export interface PhoneView {
  registration: Registration
  talk: Talk
  /** The citizen's call that rings or is talked; "" for a call that is none (dialled by oneself, a colleague's). */
  call_id: string
  /** Who calls, as the exchange says. */
  number: string
  /** The microphone sends silence although there is a talk. */
  muted: boolean
  /** What has become of the microphone; null: nothing bad. */
  microphone: MicrophoneTrouble | null
  /** The browser does not let the page play what the other side says before a click. */
  dumb: boolean
  /** The check before the shift was passed. */
  checked: boolean
}

export const OFF: PhoneView = { registration: 'off', talk: 'none', call_id: '', number: '', muted: false, microphone: null, dumb: false, checked: false }

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

/** Whether somebody is or will be at the other end. */
export const inTalk = (talk: Talk): boolean => talk === 'answering' || talk === 'talking'

/** Whether the microphone is open: in a talk unless it is muted, whatever else looks at it; outside one as long as somebody
    looks at its level. */
export function heard(view: Pick<PhoneView, 'talk' | 'muted'>, looks: number): boolean {
  return inTalk(view.talk) ? !view.muted : looks > 0
}

/** What a window without the telephone shows of the one that has it. */
export function seenFromElsewhere(view: PhoneView): PhoneView {
  return { ...view, registration: 'elsewhere' }
}

/** The talk that a window lost which had the telephone and is gone, by what it said last; null: it had none. */
export function lostTalk(last: PhoneView | null): string | null {
  return last && inTalk(last.talk) ? last.call_id : null
}

/** What sets the page's own telephone apart in an agent's choice of telephones: 1001w beside 1001. */
export function browserEndpoint(agent_id: string): string {
  return `${agent_id}w`
}
