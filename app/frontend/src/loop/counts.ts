// How much waits on each board that this person may work from, and how much of that is late.
import { onMounted, shallowRef } from 'vue'
import type { Ref } from 'vue'
import { api } from '../api/http'
import { useEvery } from '../office/useEvery'
import type { Count } from './types'

const AGAIN_MS = 60_000
export type Counts = Record<string, Count>

/** Asked at once and again and again, for what changes elsewhere; what can't be had now stays as it was. */
export function useCounts(): { counts: Ref<Counts>; count(): Promise<void> } {
  const counts = shallowRef<Counts>({})
  const count = async (): Promise<void> => void (counts.value = await api<Counts>('/boards').catch(() => counts.value))
  onMounted(count)
  useEvery(AGAIN_MS, count)
  return { counts, count }
}
