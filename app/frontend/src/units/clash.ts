// Two people who change the same unit: the second is told who was first, and changes nothing by accident.
import type { Ref } from 'vue'
import type { ApiError } from '../api/http'
import { t } from '../i18n'

/** For useForm: takes the version conflict and says it in the form's banner. */
export function useClash(failure: () => Ref<{ message: string; hint: string } | null>): (error: ApiError) => boolean {
  return (error) => {
    if (error.code !== 'version_conflict') return false
    const who = (error.body as { changed_by?: string | null } | null)?.changed_by ?? ''
    failure().value = { message: t('units.clash', { who }), hint: t('units.clashHint') }
    return true
  }
}
