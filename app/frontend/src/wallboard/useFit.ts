// How many rows a list can show without being cut, on whatever wall it hangs.
import { onMounted, onUnmounted, ref, watch } from 'vue'
import type { Ref } from 'vue'

/**
 * `box` is a part of the page that takes the height left over (less when a line about those left out stands below it); `row` finds one row in it. Gives how many rows fit into
 * the box, columns counted. Where the page may scroll (phones), everything fits.
 */
export function useFit(box: Ref<HTMLElement | undefined>, row: string, total: () => number): Ref<number> {
  const fits = ref(50)
  let observer: ResizeObserver | null = null

  function measure(): void {
    const area = box.value
    const rows = area?.querySelectorAll<HTMLElement>(row)
    const first = rows?.[0]
    if (!area || !rows || !first || getComputedStyle(area).overflowY === 'visible') return void (fits.value = 500)
    const top = first.offsetTop
    const columns = [...rows].filter((it) => it.offsetTop === top).length
    const next = [...rows].find((it) => it.offsetTop > top)
    const step = next ? next.offsetTop - top : first.offsetHeight
    const room = area.getBoundingClientRect().bottom - first.getBoundingClientRect().top
    const lines = Math.max(1, Math.floor(room / step))
    fits.value = lines * columns
  }

  onMounted(() => {
    observer = new ResizeObserver(measure)
    if (box.value) observer.observe(box.value)
  })
  onUnmounted(() => observer?.disconnect())
  watch(total, () => requestAnimationFrame(measure))
  return fits
}
