// Walking a list by keys: J and ↓ to the next row, K and ↑ to the one before, Home and End to the first and the last; the row's link
// takes the focus, so Enter opens it. Space chooses a row where rows can be chosen, Shift with a step chooses on.
// The keys belong to the list: they do nothing while the focus is elsewhere (WCAG 2.1.4), nor in a filter, whose keys they are.
import { nextTick, watch } from 'vue'
import type { Ref } from 'vue'

type Step = (at: number, rows: number) => number
const down: Step = (at) => at + 1
const up: Step = (at) => (at < 0 ? 0 : at - 1)
/** Where each key leads from a row; from elsewhere in the list (-1) to the first, or nowhere. */
const STEPS: Record<string, Step> = {
  j: down,
  J: down,
  ArrowDown: down,
  k: up,
  K: up,
  ArrowUp: up,
  Home: (at) => Math.min(at, 0),
  End: (at, rows) => (at < 0 ? at : rows - 1),
}
/** Controls that have a use for these keys themselves. */
const WRITING = 'select, textarea, input:not([type=checkbox])'

const links = (box: HTMLElement | undefined): HTMLElement[] => [...(box?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]

export interface RowKeys {
  onKey(event: KeyboardEvent): void
  /** As soon as the list is there, once: focus on the row of this id, or on the first one, unless the person is busy elsewhere on
      the page; the link of the frame that led here is nothing to be busy with. */
  beginWhenRead(list: Ref<unknown>, id: number | null): void
}

/** How rows are chosen by keys. */
export interface Choosing {
  toggle(id: number): void
  range(id: number): void
}

const idOf = (link: HTMLElement): number => Number(link.dataset.row)

export function useRowKeys(box: Ref<HTMLElement | undefined>, choosing?: () => Choosing | null): RowKeys {
  const begin = (id: number | null): void => {
    const at = document.activeElement
    const free = at === document.body || at?.id === 'main' || (at instanceof HTMLAnchorElement && at.closest('header.top, .wall header') !== null)
    if (!free) return
    const rows = links(box.value)
    ;(rows.find((row) => row.dataset.row === String(id)) ?? rows[0])?.focus({ preventScroll: id === null })
  }
  return {
    beginWhenRead(list, id) {
      let begun = false
      const read = async (now: unknown): Promise<void> => {
        if (!now || begun) return
        begun = true
        await nextTick()
        begin(id)
      }
      watch(list, read, { immediate: true })
    },
    onKey(event) {
      const choose = choosing?.() ?? null
      const here = document.activeElement as HTMLElement
      if (event.key === ' ' && choose && here.dataset.row) {
        event.preventDefault()
        if (event.shiftKey) choose.range(idOf(here))
        else choose.toggle(idOf(here))
        return
      }
      if (!(event.key in STEPS) || here.matches(WRITING) || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
      const rows = links(box.value)
      const at = rows.findIndex((row) => row.closest('tr')?.contains(here))
      const next = rows[STEPS[event.key]!(at, rows.length)]
      if (!next) return
      event.preventDefault()
      next.focus()
      if (!event.shiftKey || !choose) return
      if (at >= 0) choose.range(idOf(rows[at]!))
      choose.range(idOf(next))
    },
  }
}
