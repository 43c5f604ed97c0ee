// The menu that is being edited: its text, what the server finds wrong with it, and what is kept of it if the page is closed.
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import type { ComputedRef, Ref, ShallowRef } from 'vue'
import { api, toApiError } from '../api/http'
import { remember, remembered } from '../ui/kept'
import { me } from '../session/session'
import type { Body, Checked, Menu, Words } from './types'

const PAUSE_MS = 350

export interface Editing {
  menu: ShallowRef<Menu | null>
  words: ShallowRef<Words | null>
  text: Ref<string>
  /** What was found in the text as it was a moment ago; `fresh` once it is about the text as it is. */
  checked: ShallowRef<Checked | null>
  fresh: Ref<boolean>
  error: ShallowRef<unknown>
  /** The check itself failed: the server was not reached, or refused. */
  trouble: ShallowRef<unknown>
  edited: ComputedRef<boolean>
  /** What stands there was written before the page was opened. */
  found: Ref<boolean>
  load: () => Promise<void>
  check: () => Promise<void>
  setNode: (id: string, body: Body | null) => Promise<void>
  /** The text as callers walk it. */
  reset: () => void
  /** Reads what holds now; a text that is one's own stays. */
  refresh: () => Promise<void>
}

interface Kept {
  after: number
  text: string
}

const place = (): string => `hotline.menu-draft.${me.value?.user.id ?? ''}`

function keptDraft(): Kept | null {
  try {
    const kept = JSON.parse(remembered(place()) ?? 'null') as Kept | null
    return kept && typeof kept.text === 'string' ? kept : null
  } catch {
    return null
  }
}

export function useFlow(): Editing {
  const menu = shallowRef<Menu | null>(null)
  const words = shallowRef<Words | null>(null)
  const text = ref('')
  const checked = shallowRef<Checked | null>(null)
  const fresh = ref(false)
  const error = shallowRef<unknown>(null)
  const trouble = shallowRef<unknown>(null)
  const found = ref(false)
  const edited = computed(() => menu.value !== null && text.value !== menu.value.text)
  let timer = 0
  let asked = 0
  let asking: string | null = null
  /** Which text `checked` is about. */
  let settled: string | null = null

  async function load(): Promise<void> {
    try {
      const first = menu.value === null
      ;[menu.value, words.value] = await Promise.all([api<Menu>('/flows'), words.value ?? api<Words>('/flows/words')])
      error.value = null
      if (!first) return
      const kept = keptDraft()
      found.value = kept !== null && kept.text !== menu.value.text
      text.value = found.value ? kept!.text : menu.value.text
      await check()
    } catch (cause) {
      error.value = cause
    }
  }

  /** Asks about the text as it is; of several answers only the last question's counts. */
  async function check(): Promise<void> {
    clearTimeout(timer)
    const mine = ++asked
    asking = text.value
    fresh.value = asking === settled
    try {
      const seen = await api<Checked>('/flows/check', { method: 'POST', body: { text: asking } })
      if (mine !== asked) return
      // What is no YAML for a moment keeps its last picture: nothing vanishes while somebody types.
      checked.value = { ...seen, outline: seen.outline ?? checked.value?.outline ?? null }
      settled = asking
      fresh.value = settled === text.value
      trouble.value = null
    } catch (cause) {
      if (mine !== asked) return
      trouble.value = cause
      asking = null
    }
  }

  watch(text, (now) => {
    if (!menu.value) return
    remember(place(), edited.value ? JSON.stringify({ after: menu.value.number, text: now } satisfies Kept) : null)
    fresh.value = now === settled
    clearTimeout(timer)
    if (now === asking) return // it was asked about at once
    timer = window.setTimeout(() => void check(), PAUSE_MS)
  })
  onBeforeUnmount(() => clearTimeout(timer))

  async function setNode(id: string, body: Body | null): Promise<void> {
    const before = text.value
    const next = await api<{ text: string }>('/flows/node', { method: 'POST', body: { text: before, id, body } })
    if (text.value !== before) throw toApiError(new Error('the text has changed meanwhile'))
    text.value = next.text
    await check()
  }

  function reset(): void {
    if (!menu.value) return
    text.value = menu.value.text
    found.value = false
    void check()
  }

  async function refresh(): Promise<void> {
    const was = menu.value?.text
    await load()
    if (menu.value && (text.value === menu.value.text || text.value === was)) {
      text.value = menu.value.text
      found.value = false
      remember(place(), null)
    }
    await check()
  }

  void load()
  return { menu, words, text, checked, fresh, error, trouble, edited, found, load, check, setNode, reset, refresh }
}
