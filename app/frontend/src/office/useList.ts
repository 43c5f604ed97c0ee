// A list whose view lives in the browser's history: filters and page in the address, to be bookmarked and shared; what tells
// of a person (numbers, names, words that may be either) beside it in history.state and in request bodies, never in an address.
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { toldCount } from '../api/format'
import { api } from '../api/http'
import type { Page } from '../api/types'

type Filters = Record<string, string>

export interface Listed<T> {
  /** The filters as they stand in the form; apply() makes them count. */
  filters: Filters
  /** The filters as they count. */
  asked(): Filters
  data: Ref<Page<T> | null>
  error: Ref<unknown>
  loading: Ref<boolean>
  page: Ref<number>
  pages: Ref<number>
  apply(): void
  clear(): void
  turn(page: number): void
  refresh(): Promise<void>
  /** Brings the rows that are shown up to date where they stand; `moved` tells that a refresh would show others. */
  follow(id: (row: T) => unknown): Promise<void>
  moved: Ref<boolean>
  /** How many rows a refresh would show that are not shown now. */
  added: Ref<number>
}

/** How many rows a list has, as it is shown: the server counts from the beginning of the page. */
export const told = ({ total, page, page_size }: Page<unknown>): string => toldCount(total, (page - 1) * page_size)

/** How many of the rows that would be shown now are new. Behind all known ones of a list that did not grow none is: it moved up
    because another left. */
export function newRows<T>(shown: Page<T>, now: Page<T>, id: (row: T) => unknown): number {
  const known = new Set(shown.items.map(id))
  const isNew = now.items.map((row) => !known.has(id(row)))
  return (now.total > shown.total ? isNew : isNew.slice(0, Math.max(isNew.lastIndexOf(false), 0))).filter(Boolean).length
}

interface Options {
  /** Filters that tell of a person: the list is asked by POST to `path`/search. */
  hidden?: string[]
  /** What every question of this list says besides, whatever the filters. */
  fixed?: Filters
  size?: number
}

/** What of `values` is set, of these names only. */
const set = (values: Record<string, unknown>, names: string[]): Filters =>
  Object.fromEntries(names.flatMap((name) => (typeof values[name] === 'string' && values[name] ? [[name, values[name]]] : [])))

export function useList<T>(path: string, shown: string[], { hidden = [], fixed = {}, size = 25 }: Options = {}): Listed<T> {
  const route = useRoute()
  const router = useRouter()
  const here = route.path
  const names = [...shown, ...hidden]
  const filters = reactive<Filters>(Object.fromEntries(names.map((name) => [name, ''])))
  const data = shallowRef<Page<T> | null>(null)
  const error = shallowRef<unknown>(null)
  const loading = ref(false)
  const moved = ref(false)
  const added = ref(0)
  let asked: Filters = {}
  let running: AbortController | null = null

  const page = computed(() => Math.max(1, Number(route.query.page) || 1))
  const pages = computed(() => Math.max(1, Math.ceil((data.value?.total ?? 0) / (data.value?.page_size || size))))

  function ask(signal: AbortSignal): Promise<Page<T> | T[]> {
    const wanted = { ...fixed, ...asked, page: page.value, page_size: size }
    return hidden.length ? api(`${path}/search`, { method: 'POST', body: wanted, signal }) : api(path, { query: wanted, signal })
  }

  /** Short lists (people, announcements) come as an array. */
  const whole = (answer: Page<T> | T[]): Page<T> =>
    Array.isArray(answer) ? { items: answer, total: answer.length, page: 1, page_size: Math.max(size, answer.length) } : answer

  async function refresh(): Promise<void> {
    running?.abort()
    running = new AbortController()
    const { signal } = running
    loading.value = true
    try {
      data.value = whole(await ask(signal))
      error.value = null
      moved.value = false
      added.value = 0
    } catch (cause) {
      if (!signal.aborted) error.value = cause
    } finally {
      if (!signal.aborted) loading.value = false
    }
  }

  async function follow(id: (row: T) => unknown): Promise<void> {
    if (loading.value || !running) return refresh()
    const { signal } = running
    try {
      const now = whole(await ask(signal))
      const { items } = now
      const shown = data.value
      if (signal.aborted || !shown) return
      const fresh = new Map(items.map((row) => [id(row), row]))
      added.value = newRows(shown, now, id)
      moved.value = items.length !== shown.items.length || items.some((row, at) => id(row) !== id(shown.items[at]!))
      data.value = { ...shown, items: shown.items.map((row) => fresh.get(id(row)) ?? row) }
      error.value = null
    } catch (cause) {
      if (!signal.aborted) error.value = cause
    }
  }

  function go(next: Filters, to = 1): void {
    const query = { ...set(next, shown), ...(to > 1 ? { page: String(to) } : {}) }
    const same = to === page.value && names.every((name) => (next[name] ?? '') === (asked[name] ?? ''))
    // `force`: two views may differ only in what the address does not show.
    if (same) void refresh()
    else void router.push({ path: here, query, state: { hidden: set(next, hidden) }, force: true })
  }

  watch(
    () => route.query,
    (query) => {
      if (route.path !== here) return
      const beside = (history.state as { hidden?: Filters } | null)?.hidden ?? {}
      asked = { ...set(query, shown), ...set(beside, hidden) }
      for (const name of names) filters[name] = asked[name] ?? ''
      void refresh()
    },
    { immediate: true },
  )

  return {
    filters,
    asked: () => ({ ...fixed, ...asked }),
    data,
    error,
    loading,
    page,
    pages,
    apply: () => go(Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, value.trim()]))),
    clear: () => go({}),
    turn: (to) => go(asked, to),
    refresh,
    follow,
    moved,
    added,
  }
}
