import { expect, it } from 'vitest'
import { where } from './where'

it('leads to where something can be done', () => {
  const about = { case_id: 7, assignment_id: 3, article_id: null }
  const to = (kind: string, centre: boolean): string => where({ kind, ...about }, centre)
  expect([to('returned', true), to('urgent', true), to('reprimand_draft', true), to('extension_asked', true)]).toEqual(['/cases/7', '/urgent', '/chases/drafts', '/extensions'])
  expect([to('given', false), to('withdrawn', false), where({ ...about, kind: 'given', assignment_id: null }, false)]).toEqual(['/work/assignments/3', '/work', '/work'])
  const ours = { case_id: null, assignment_id: null, article_id: null }
  expect([where({ ...ours, kind: 'appealed', review_id: 4 }, true), where({ ...ours, kind: 'trained', review_id: null }, true)]).toEqual(['/quality/reviews/4', '/quality/own'])
  const known = { case_id: null, assignment_id: null, article_id: 5 }
  expect([where({ ...known, kind: 'article_due' }, false), where({ ...known, kind: 'gap_given', article_id: null }, false)]).toEqual(['/knowledge/articles/5', '/knowledge/gaps'])
})
