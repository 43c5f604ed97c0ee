import { expect, it } from 'vitest'
import { where } from './where'

it('leads to where something can be done', () => {
  const about = { case_id: 7, assignment_id: 3 }
  const to = (kind: string, centre: boolean): string => where({ kind, ...about }, centre)
  expect([to('returned', true), to('urgent', true), to('reprimand_draft', true), to('extension_asked', true)]).toEqual(['/cases/7', '/urgent', '/chases/drafts', '/extensions'])
  expect([to('given', false), to('withdrawn', false), where({ kind: 'given', case_id: 7, assignment_id: null }, false)]).toEqual(['/work/assignments/3', '/work', '/work'])
})
