// Walking a list by keys: J and ↓ to the next row, K and ↑ to the one before; the row's link takes the focus, so Enter opens it.
// The keys belong to the list: they do nothing while the focus is elsewhere (WCAG 2.1.4).
import type { Ref } from 'vue'

const STEPS: Record<string, number> = { j: 1, J: 1, ArrowDown: 1, k: -1, K: -1, ArrowUp: -1 }

const links = (box: HTMLElement | undefined): HTMLElement[] => [...(box?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]

export interface RowKeys {
  onKey(event: KeyboardEvent): void
  /** Focus on the row of this id, or on the first one, unless the person is busy elsewhere on the page; the link of the frame that
      led here is nothing to be busy with. */
  begin(id: number | null): void
}

export function useRowKeys(box: Ref<HTMLElement | undefined>): RowKeys {
  return {
    onKey(event) {
      const step = STEPS[event.key]
      if (!step || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return
      const rows = links(box.value)
      const at = rows.indexOf(document.activeElement as HTMLElement)
      const next = rows[at < 0 ? 0 : at + step]
      if (!next) return
      event.preventDefault()
      next.focus()
    },
    begin(id) {
      const at = document.activeElement
      const free = at === document.body || at?.id === 'main' || (at instanceof HTMLAnchorElement && at.closest('header.top, .wall header') !== null)
      if (!free) return
      const rows = links(box.value)
      ;(rows.find((row) => row.dataset.row === String(id)) ?? rows[0])?.focus({ preventScroll: id === null })
    },
  }
}
