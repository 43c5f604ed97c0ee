// Areas of the city for the form's suggestions; a server that has none leaves the field free text.
import { shallowRef } from 'vue'
import { api } from '../api/http'

export const areas = shallowRef<string[]>([])
let asked = false

export async function loadAreas(): Promise<void> {
  if (asked) return
  asked = true
  const answer = await api<{ areas: string[] }>('/areas').catch(() => null)
  areas.value = answer?.areas ?? []
}
