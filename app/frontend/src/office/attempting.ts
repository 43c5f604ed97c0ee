// One step on a row of a list: what goes wrong is told, and the list is read again either way, since what went wrong is often
// that somebody else was quicker.
import { toApiError } from '../api/http'
import { toast } from '../notify/toast'
import type { Listed } from './useList'

export async function attempting(list: Pick<Listed<unknown>, 'refresh'>, job: () => Promise<unknown>): Promise<void> {
  try {
    await job()
  } catch (error) {
    toast(toApiError(error).message, 'trouble', 9000)
  }
  await list.refresh()
}
