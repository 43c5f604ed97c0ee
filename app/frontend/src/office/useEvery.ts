// Does something again and again while the page is seen, beginning after the first wait.
import { onMounted, onUnmounted } from 'vue'

export function useEvery(ms: number, job: () => unknown): void {
  let timer = 0
  const step = (): void => void (document.hidden || job())
  onMounted(() => (timer = window.setInterval(step, ms)))
  onUnmounted(() => clearInterval(timer))
}
