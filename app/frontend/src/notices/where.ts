// Where a notice leads: to the desk at which something can be done about it, for a unit to what it was given.
import type { Notice } from './types'

const DESKS: Record<string, string> = { urgent: '/urgent', reprimand_draft: '/chases/drafts', exposure_draft: '/chases/drafts', extension_asked: '/extensions' }

/** `centre`: whether the reader sees cases; who does not, sees what their unit was given, unless it was taken back. */
export function where(notice: Pick<Notice, 'kind' | 'case_id' | 'assignment_id' | 'article_id' | 'review_id'>, centre: boolean): string {
  if (notice.review_id) return `/quality/reviews/${notice.review_id}`
  if (notice.kind === 'trained') return '/quality/own'
  if (notice.kind === 'gap_given') return '/knowledge/gaps'
  if (notice.article_id !== null) return `/knowledge/articles/${notice.article_id}`
  if (centre) return DESKS[notice.kind] ?? `/cases/${notice.case_id}`
  return notice.assignment_id === null || notice.kind === 'withdrawn' ? '/work' : `/work/assignments/${notice.assignment_id}`
}
