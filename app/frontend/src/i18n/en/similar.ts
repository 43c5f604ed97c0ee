// English texts of cases that may be the same matter.
import type { similar as zh } from '../zh/similar'

export const similar: Record<keyof typeof zh, string> = {
  'similar.some': '{n} cases may be the same',
  'similar.none': 'No case seems to be the same',
  'similar.failed': 'Could not look for duplicates just now; go on writing',
  'similar.hint': 'Looks for cases of the last 90 days with this number, at this place, or with similar words while you type',
  'similar.again': 'Repeated (time {n})',
}
