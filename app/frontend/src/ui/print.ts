// Large print: chosen once, kept on this computer; styles/tokens.css says what it changes.
import { ref } from 'vue'
import { remember, remembered } from './kept'

const KEPT = 'hotline.print'

export const large = ref(remembered(KEPT) === 'large')

export function setLarge(next: boolean): void {
  large.value = next
  document.documentElement.dataset.print = next ? 'large' : 'usual'
  remember(KEPT, next ? 'large' : 'usual')
}
