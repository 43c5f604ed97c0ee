// For what is open over the page: a click or the focus elsewhere shuts it.
import { onMounted, onUnmounted } from 'vue'
import type { Ref } from 'vue'

const EVENTS = ['pointerdown', 'focusin'] as const

/** Calls `left` whenever something outside of `box` is pressed or gets the focus. */
export function useOutside(box: Ref<HTMLElement | undefined>, left: () => void): void {
  const look = (event: Event): void => {
    if (!box.value?.contains(event.target as Node)) left()
  }
  onMounted(() => EVENTS.forEach((name) => document.addEventListener(name, look)))
  onUnmounted(() => EVENTS.forEach((name) => document.removeEventListener(name, look)))
}
