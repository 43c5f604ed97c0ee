// Short messages that need no answer; read out politely, gone after a while.
import { ref } from 'vue'

export interface Toast {
  id: number
  tone: 'ready' | 'trouble' | 'paused' | 'talking'
  text: string
}

export const toasts = ref<Toast[]>([])
let last = 0

export function toast(text: string, tone: Toast['tone'] = 'talking', shownMs = 6000): void {
  const id = ++last
  toasts.value = [...toasts.value.filter((it) => it.text !== text), { id, tone, text }].slice(-3)
  setTimeout(() => dismiss(id), shownMs)
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((it) => it.id !== id)
}
