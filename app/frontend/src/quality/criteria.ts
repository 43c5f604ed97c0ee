// The five criteria, read once.
import { shallowRef } from 'vue'
import { api } from '../api/http'
import type { Criterion } from './types'

export const criteria = shallowRef<Criterion[]>([])

export async function loadCriteria(): Promise<void> {
  if (!criteria.value.length) criteria.value = await api<Criterion[]>('/quality/criteria')
}
