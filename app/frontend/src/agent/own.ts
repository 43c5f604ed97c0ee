// What is the agent's own, or the centre's: it must never be saved as the citizen's. Learned once a login.
import { computed, shallowRef } from 'vue'
import { api } from '../api/http'
import type { UnitRow } from '../api/types'
import { may, me } from '../session/session'
import type { Own } from './typed'

const centre = shallowRef<{ address: string; phones: string[] }>({ address: '', phones: [] })
let asked = false

export const own = computed<Own>(() => {
  const who = me.value
  return {
    agent_id: who?.agent?.agent_id ?? '',
    names: [who?.user.display_name ?? '', who?.agent?.name ?? ''].filter(Boolean),
    numbers: [who?.agent?.endpoint ?? '', '12345', ...centre.value.phones].filter(Boolean),
    address: centre.value.address,
  }
})

/** The centre's address and telephones; without them the agent's own are noticed all the same. */
export async function loadOwn(): Promise<void> {
  if (asked || !may('units.read')) return
  asked = true
  const units = await api<UnitRow[]>('/units').catch(() => [])
  const id = units.find((unit) => unit.kind === 'centre')?.id
  if (id === undefined) return
  const whole = await api<{ address?: string; phones?: { number: string }[] }>(`/units/${id}`).catch(() => null)
  centre.value = { address: whole?.address ?? '', phones: (whole?.phones ?? []).map((phone) => phone.number) }
}
