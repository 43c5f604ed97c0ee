import { onScopeDispose, ref, watch } from 'vue'
import type { Ref } from 'vue'

/** True once `condition` has held for `ms`: what is over in a moment is not worth a banner. */
export function lasting(condition: () => boolean, ms: number): Ref<boolean> {
  const held = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    condition,
    (now) => {
      clearTimeout(timer)
      if (now) timer = setTimeout(() => (held.value = true), ms)
      else held.value = false
    },
    { immediate: true },
  )
  onScopeDispose(() => clearTimeout(timer))
  return held
}
