// What was heard of the open case, and what of it a person has taken over or turned down. It outlives a look at another page and
// goes with the case; of what was settled only a check sum is kept, in this tab, so that it does not come back after a reload.
import { computed, reactive, ref, shallowRef } from 'vue'
import { api } from '../api/http'
import type { CaseFields, Recording } from '../api/types'
import type { Words } from '../realtime/protocol'
import { changeOf, keyOf, SURE, together, undone } from './suggestions'
import type { Change, Suggestion } from './suggestions'

export interface LiveWords {
  segment: number
  start_ms: number
  text: string
}

const KEPT = 'hotline.suggestions'
const KEPT_CASES = 20
/** As the server takes them. */
const MOST_WORDS = 200
const LONGEST_WORDS = 500

/** Which case this is of; the next one begins anew. */
let of = ''
const live = shallowRef<Suggestion[]>([])
const stored = shallowRef<Suggestion[]>([])
/** By key: what was settled, in this page or before its reload. */
const settled = reactive(new Set<string>())
const taken = reactive(new Map<string, Change>())
/** Where a segment of a talk that is over can be heard. */
const sounds = reactive(new Map<string, string>())
export const heard = computed(() => together(stored.value, live.value))
/** How many can be taken over now: for the legend of keys. */
export const offered = ref(0)

export function beginWith(caseKey: string): void {
  if (of === caseKey) return
  forgetHeard()
  of = caseKey
  for (const sum of remembered()[caseKey] ?? []) settled.add(sum)
}

/** The case is put away, or somebody else signs in. */
export function forgetHeard(): void {
  of = ''
  live.value = stored.value = []
  settled.clear()
  taken.clear()
  sounds.clear()
  offered.value = 0
}

export function heardLive(caseKey: string, found: Suggestion[]): void {
  if (of === caseKey) live.value = found
}

export function heardStored(caseKey: string, found: Suggestion[]): void {
  if (of === caseKey) stored.value = found
}

/** What the citizen has said so far; null while that is nothing. */
export function wordsOf(said: readonly Words[] | undefined): LiveWords[] | null {
  const words = (said ?? []).filter((one) => one.final && one.side === 'citizen' && one.text)
  if (!words.length) return null
  return words.slice(-MOST_WORDS).map(({ segment, start_ms, text }) => ({ segment, start_ms, text: text.slice(0, LONGEST_WORDS) }))
}

/** Throws ApiError. */
export const askLive = (said: LiveWords[], signal: AbortSignal): Promise<Suggestion[]> => listed(api('/suggestions', { method: 'POST', body: { said }, signal }))
/** Throws ApiError. */
export const askStored = (id: number): Promise<Suggestion[]> => listed(api(`/cases/${id}/suggestions`))

/** Of a talk that is over its recordings are there, for whoever may hear them; what is not there yet is looked for again. */
export async function findSounds(callId: string): Promise<void> {
  if (heard.value.every((one) => soundOf(one))) return
  const found = await api<Recording[]>('/recordings', { query: { call: callId } }).catch(() => [])
  if (of === callId) for (const one of found) if (one.audio_url) sounds.set(`live:${one.segment}`, one.audio_url)
}

export const soundOf = (one: Suggestion): string | null => one.audio_url ?? sounds.get(one.source) ?? null

/** A server that is older than this page answers something else. */
const listed = async (answer: Promise<unknown>): Promise<Suggestion[]> => {
  const told = await answer
  return Array.isArray(told) ? (told as Suggestion[]) : []
}

export const isTaken = (one: Suggestion): boolean => taken.has(keyOf(one))
export const isSettled = (one: Suggestion): boolean => settled.has(sum(keyOf(one)))
export const isSure = (one: Suggestion): boolean => one.confidence >= SURE

/** What a person may take over now. */
export const open = (form: CaseFields): Suggestion[] => heard.value.filter((one) => !isSettled(one) && changeOf(one, form) !== null)

/** Takes one over; what to write where, null where nothing is to be written (any more). */
export function take(one: Suggestion, form: CaseFields): Change | null {
  const change = isTaken(one) ? null : changeOf(one, form)
  if (!change) return null
  taken.set(keyOf(one), change)
  settle(one)
  return change
}

/** Takes it back; what the field holds then, null where somebody has changed that since. */
export function giveBack(one: Suggestion, form: CaseFields): { field: Change['field']; value: string } | null {
  const change = taken.get(keyOf(one))
  const value = change ? undone(change, form) : null
  if (!change || value === null) return null
  taken.delete(keyOf(one))
  return { field: change.field, value }
}

/** It is not offered again. */
export function settle(one: Suggestion): void {
  settled.add(sum(keyOf(one)))
  if (!of) return
  const all = remembered()
  const mine = [...new Set([...(all[of] ?? []), sum(keyOf(one))])]
  const others = Object.entries(all).filter(([key]) => key !== of)
  write(Object.fromEntries([...others.slice(-KEPT_CASES + 1), [of, mine]]))
}

/** FNV-1a: enough to know a value again, not to read it. */
export function sum(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}

function remembered(): Record<string, string[]> {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') as Record<string, string[]>
  } catch {
    return {}
  }
}

function write(all: Record<string, string[]>): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(all))
  } catch {
    // A browser that keeps nothing offers it again after a reload.
  }
}
