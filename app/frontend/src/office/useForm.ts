// What the forms of the back office have in common: faults by field, one request at a time, and what the server says of it.
import { computed, reactive, ref } from 'vue'
import type { ComputedRef, Ref } from 'vue'
import { toApiError } from '../api/http'
import type { ApiError } from '../api/http'

export interface Form {
  /** What is wrong with which field; "" where nothing is. */
  wrong: Record<string, string>
  /** Every fault with the id of its control, for the summary. */
  errors: ComputedRef<{ field: string; text: string }[]>
  failure: Ref<{ message: string; hint: string } | null>
  /** Grows with every try that was not accepted; the summary takes the focus then. */
  attempt: Ref<number>
  busy: Ref<boolean>
  send(faults: Record<string, string>, job: () => Promise<void>): Promise<void>
}

/** A form whose controls have the ids `prefix`-`field`. `refused` may take an error itself (and give true). */
export function useForm(prefix: string, refused: (error: ApiError) => boolean = () => false): Form {
  const wrong = reactive<Record<string, string>>({})
  const failure = ref<{ message: string; hint: string } | null>(null)
  const attempt = ref(0)
  const busy = ref(false)
  const errors = computed(() => Object.entries(wrong).filter(([, text]) => text).map(([field, text]) => ({ field: `${prefix}-${field}`, text })))

  /** Runs `job` unless one of `faults` is set or another is running; faults that the server names join the others. */
  async function send(faults: Record<string, string>, job: () => Promise<void>): Promise<void> {
    if (busy.value) return
    failure.value = null
    for (const field of Object.keys(wrong)) wrong[field] = ''
    Object.assign(wrong, faults)
    if (errors.value.length) {
      attempt.value += 1
      return
    }
    busy.value = true
    try {
      await job()
    } catch (error) {
      const told = toApiError(error)
      if (refused(told)) return
      Object.assign(wrong, told.fields)
      if (Object.keys(told.fields).length) attempt.value += 1
      else failure.value = told
    } finally {
      busy.value = false
    }
  }

  return { wrong, errors, failure, attempt, busy, send }
}
