// Whether the letters of an open menu do what they say; kept on this computer.
import { ref } from 'vue'
import { remember, remembered } from '../ui/kept'

const KEPT = 'hotline.menu.letters'

export const letters = ref(remembered(KEPT) !== 'off')

export function setLetters(on: boolean): void {
  letters.value = on
  remember(KEPT, on ? 'on' : 'off')
}
