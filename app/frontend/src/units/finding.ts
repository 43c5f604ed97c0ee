// Finding units: by what they are called, and by what a matter is about. What is typed may tell of a person, so it goes in bodies.
import { api } from '../api/http'
import type { UnitRow } from '../api/types'

export interface Suggestion {
  unit: UnitRow
  words: string[]
}

/** What fits the words, the closest first; `closed`: also units that work no more. Throws ApiError. */
export const searchUnits = (q: string, closed = false): Promise<UnitRow[]> => api<UnitRow[]>('/units/search', { method: 'POST', body: { q, closed } })

/** Which units a matter may be for, the likeliest first, with the words that decided. Throws ApiError. */
export const suggestUnits = (text: string, signal?: AbortSignal): Promise<Suggestion[]> =>
  api<Suggestion[]>('/units/suggest', { method: 'POST', body: { text }, ...(signal && { signal }) })

/** The working unit that has exactly this code; null if there is none. Throws ApiError. */
export const unitOfCode = async (code: string): Promise<UnitRow | null> => (await searchUnits(code)).find((unit) => unit.code === code) ?? null
