// Pure: who is in a talk beside citizen and agent, and who of them hears music.
import type { CallView, Member } from '../realtime/protocol'

type Talk = Pick<CallView, 'members' | 'held' | 'talks_with'> | null

/** Everybody but the citizen and oneself. */
export function othersIn(call: Talk, agent_id: string): Member[] {
  return (call?.members ?? []).filter((member) => member.role !== 'citizen' && (agent_id === '' || member.agent_id !== agent_id))
}

/** Who is consulted: a third party whom the citizen does not hear, or who waits while the agent is back with the citizen. */
export function consultedIn(call: Talk, others: Member[]): Member | undefined {
  if (!call || call.talks_with === 'all') return undefined
  return others.find((one) => one.role === 'third' && (call.held || one.kind === 'consult'))
}

/** Who hears music: the citizen on hold, or who is consulted while the agent talks with the citizen. */
export function musicFor(call: Talk, others: Member[]): 'citizen' | 'third' | null {
  if (!call) return null
  if (call.held) return 'citizen'
  const third = consultedIn(call, others)
  return third?.state === 'up' ? 'third' : null
}

/** Keys for a list: two thirds may have the same number. */
export function partyKey(member: Member, at: number): string {
  return `${member.agent_id}/${member.number}/${member.unit_id ?? ''}/${at}`
}
