// Places for an address that is being typed: roads and estates that are known, never a house. Typed text goes in bodies.
import { api } from '../api/http'

export interface Place {
  address: string
  area: string
}

/** Where the house begins, as the server sees it (`app/places/model.py`). */
const HOUSE = /[0-9０-９#＃]|[一二三四五六七八九十百零〇两]+(?=[号栋幢座楼单室户层弄组门排院])|[甲乙丙丁A-Za-zＡ-Ｚａ-ｚ]+(?=[座栋幢区])/

/** The typed address with the road or estate that was chosen: a house number that stands there already stays. */
export function placed(typed: string, place: Place): string {
  const at = typed.search(HOUSE)
  return at < 0 ? place.address : `${place.address}${typed.slice(at)}`
}

/** Throws ApiError. */
export const suggestPlaces = (q: string, area: string, signal: AbortSignal): Promise<Place[]> => api<Place[]>('/places/suggest', { method: 'POST', body: { q, area }, signal })
