// Who works on the knowledge base: the centre for all of it, a unit's people for what is theirs.
import { ref, shallowRef } from 'vue'
import { api } from '../api/http'
import { may } from '../session/session'
import type { Standing } from './types'

/** Writes or reviews for the centre. */
export const ofCentre = (): boolean => may('knowledge.write') || may('knowledge.review')
/** Writes, for the centre or for a unit. */
export const writes = (): boolean => may('knowledge.write') || may('knowledge.own')

/** How units stand, of those that one may know of; none while that can't be had: lists tell what is wrong by themselves. `asked`
    once it is known, so that nothing has to make room for them later. */
export function useStanding() {
  const units = shallowRef<Standing[]>([])
  const asked = ref(false)
  const load = async (): Promise<void> => {
    if (ofCentre() || may('knowledge.own')) units.value = await api<Standing[]>('/knowledge/units').catch(() => units.value)
    asked.value = true
  }
  void load()
  return { units, asked, load }
}

/** Whether there is anything to choose between. */
export const severalIn = (units: Standing[]): boolean => units.length > (ofCentre() ? 0 : 1)
