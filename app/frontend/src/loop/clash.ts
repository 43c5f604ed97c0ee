// Two people who act on the same case: the second sees who was first and what became of it, and loses nothing of what was typed.
import type { Ref } from 'vue'
import type { ApiError } from '../api/http'
import { t, word } from '../i18n'

/** For useForm: takes the version conflict and says it in the form's banner. After every refusal because of what is stored
    meanwhile the page reads that again (`stale`). */
export function useClash(failure: () => Ref<{ message: string; hint: string } | null>, stale: () => void): (error: ApiError) => boolean {
  return (error) => {
    if (error.status === 409) stale()
    if (error.code !== 'version_conflict') return false
    const { changed_by, current } = (error.body ?? {}) as { changed_by?: string | null; current?: { state?: string } }
    failure().value = { message: t('act.clash', { who: changed_by || t('act.someone'), state: word('caseState', current?.state) }), hint: t('act.clashHint') }
    return true
  }
}
