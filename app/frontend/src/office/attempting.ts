// One step on a row of a list: what goes wrong is told, and the list is read again either way, since what went wrong is often
// that somebody else was quicker.
import { toApiError } from '../api/http'
import { toast } from '../notify/toast'
import type { Listed } from './useList'

/** Gives whether it worked. */
export async function attempting(list: Pick<Listed<unknown>, 'refresh'>, job: () => Promise<unknown>): Promise<boolean> {
  const done = await job().then(
    () => true,
    (error: unknown) => {
      const { message, fields } = toApiError(error)
      toast([message, ...Object.values(fields)].join(' '), 'trouble', 9000)
      return false
    },
  )
  await list.refresh()
  return done
}
