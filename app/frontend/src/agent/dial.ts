// Numbers to dial: what may be typed, and the wish of a click elsewhere on the page.
import { ref } from 'vue'

/** A number that was clicked, waiting for the dial box to take it. */
export const dialWish = ref('')

/** The number as the exchange takes it, without spaces and dashes; null when it is none. At most 32 characters. */
export function dialable(text: string): string | null {
  const bare = text.replace(/[\s\-()（）－]/g, '')
  return /^\+?[0-9*#]{1,31}$/.test(bare) ? bare : null
}
