// A list whose filters and page live in the address: a view can be bookmarked, shared and gone back to.
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { api } from '../api/http'
import type { Page } from '../api/types'

export interface Listed<T> {
  /** The filters as they stand in the form; apply() puts them into the address. */
  filters: Record<string, string>
  data: Ref<Page<T> | null>
  error: Ref<unknown>
  loading: Ref<boolean>
  page: Ref<number>
  pages: Ref<number>
  apply(): void
  clear(): void
  turn(page: number): void
  refresh(): Promise<void>
}

export function useList<T>(path: string, names: string[], size = 25): Listed<T> {
  const route = useRoute()
  const router = useRouter()
  const here = route.path
  const filters = reactive<Record<string, string>>(Object.fromEntries(names.map((name) => [name, ''])))
  const data = shallowRef<Page<T> | null>(null)
  const error = shallowRef<unknown>(null)
  const loading = ref(false)
  let running: AbortController | null = null

  const page = computed(() => Math.max(1, Number(route.query.page) || 1))
  const pages = computed(() => Math.max(1, Math.ceil((data.value?.total ?? 0) / (data.value?.page_size || size))))

  const one = (value: unknown): string => (typeof value === 'string' ? value : '')

  async function refresh(): Promise<void> {
    running?.abort()
    running = new AbortController()
    const { signal } = running
    loading.value = true
    try {
      const query = Object.fromEntries(names.map((name) => [name, one(route.query[name])]))
      const answer = await api<Page<T> | T[]>(path, { query: { ...query, page: page.value, page_size: size }, signal })
      // Short lists (people) come whole.
      data.value = Array.isArray(answer) ? { items: answer, total: answer.length, page: 1, page_size: Math.max(size, answer.length) } : answer
      error.value = null
    } catch (cause) {
      if (!signal.aborted) error.value = cause
    } finally {
      if (!signal.aborted) loading.value = false
    }
  }

  function go(query: Record<string, string>): void {
    const kept = Object.fromEntries(Object.entries(query).filter(([, value]) => value))
    void router.push({ path: here, query: kept })
  }

  watch(
    () => route.query,
    (query) => {
      if (route.path !== here) return
      for (const name of names) filters[name] = one(query[name])
      void refresh()
    },
    { immediate: true },
  )

  return {
    filters,
    data,
    error,
    loading,
    page,
    pages,
    apply: () => go(Object.fromEntries(Object.entries(filters).map(([name, value]) => [name, value.trim()]))),
    clear: () => go({}),
    turn: (to) => go({ ...Object.fromEntries(names.map((name) => [name, one(route.query[name])])), page: to > 1 ? String(to) : '' }),
    refresh,
  }
}
