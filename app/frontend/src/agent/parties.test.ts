import { describe, expect, it } from 'vitest'
import type { CallView, Member } from '../realtime/protocol'
import { consultedIn, musicFor, othersIn } from './parties'

const citizen: Member = { role: 'citizen', agent_id: '', number: '139', state: 'up' }
const self: Member = { role: 'agent', agent_id: '1001', number: '', state: 'up' }
const third = (kind: Member['kind'], state = 'up'): Member => ({ role: 'third', agent_id: '', number: '0258', state, kind })

type With = CallView['talks_with']
const talk = (held: boolean, talks_with: With, ...more: Member[]): Pick<CallView, 'members' | 'held' | 'talks_with'> => ({ held, talks_with, members: [citizen, self, ...more] })

describe('who hears music', () => {
  it.each([
    ['in a plain talk nobody', talk(false, 'citizen'), null, false],
    ['on hold the citizen', talk(true, 'citizen'), 'citizen', false],
    ['while a third rings the citizen', talk(true, 'third', third('consult', 'ringing')), 'citizen', true],
    ['in a consultation the citizen', talk(true, 'third', third('consult')), 'citizen', true],
    ['after a swap the third', talk(false, 'citizen', third('consult')), 'third', true],
    ['back with the citizen while the third still rings nobody', talk(false, 'citizen', third('consult', 'ringing')), null, true],
    ['all together nobody', talk(false, 'all', third('consult')), null, false],
    ['in a three-way call nobody', talk(false, 'all', third('conference')), null, false],
    ['while an emergency line rings nobody', talk(false, 'citizen', third('emergency', 'ringing')), null, false],
  ] as const)('%s', (_, call, music, consulted) => {
    const others = othersIn(call, '1001')
    expect(musicFor(call, others)).toBe(music)
    expect(consultedIn(call, others) !== undefined).toBe(consulted)
  })

  it('without a call nobody', () => expect([musicFor(null, []), consultedIn(null, []), othersIn(null, '1001')]).toEqual([null, undefined, []]))
})
