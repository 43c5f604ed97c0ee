// Whether the letters of an open menu do what they say; kept on this computer.
import { ref } from 'vue'

const KEPT = 'hotline.menu.letters'

function remembered(): boolean {
  try {
    return localStorage.getItem(KEPT) !== 'off'
  } catch {
    return true
  }
}

export const letters = ref(typeof localStorage === 'undefined' || remembered())

export function setLetters(on: boolean): void {
  letters.value = on
  try {
    localStorage.setItem(KEPT, on ? 'on' : 'off')
  } catch {
    // A browser that keeps nothing: it lasts as long as the page.
  }
}
