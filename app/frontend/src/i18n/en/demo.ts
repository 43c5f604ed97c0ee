// English texts of the demonstration.
import type { demo as zh } from '../zh/demo'

export const demo: Record<keyof typeof zh, string> = {
  'demo.title': 'Demo: simulated citizens are calling 12345',
  'demo.intro': 'The calls are real SIP calls from a second Asterisk, which also plays the agents.',
  'demo.call': 'Call 12345 now',
  'demo.calling': 'Calling…',
  'demo.called': '{number} is dialling and appears on the wallboard in a few seconds.',
  'demo.citizens': 'Citizens',
  'demo.agents': 'Agents',
  'demo.events': 'Happening now',
  'demo.noCitizens': 'No simulated call right now',
  'demo.off': 'This is not a demo',
  'demo.offHint': 'Run make demo in the project folder and open this page again.',
  'demo.openBoard': 'Open the wallboard',
  'demo.state.dialling': 'Dialling',
  'demo.state.ringing': 'Ringing',
  'demo.state.menu': 'In the menu',
  'demo.state.waiting': 'Waiting',
  'demo.state.hold': 'Waiting',
  'demo.state.connect': 'Being connected',
  'demo.state.talking': 'Talking',
  'demo.state.talk': 'Talking',
  'demo.state.voicemail': 'Leaving a voicemail',
  'demo.state.survey': 'Rating',
  'demo.state.done': 'Ended',
  'demo.state.ended': 'Ended',
}
