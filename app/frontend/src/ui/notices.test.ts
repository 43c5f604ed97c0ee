import { afterEach, describe, expect, it } from 'vitest'
import { locale } from '../i18n'
import { noticeText } from './notices'

afterEach(() => void (locale.value = 'zh'))

describe('a notice', () => {
  const set = { level: 'warning', code: 'state_set', text: '服务器的话', by: '王班长', state: 'not_ready' } as const

  it('names who set the state and what it is', () => {
    expect(noticeText({ ...set, later: false })).toBe('王班长把你设为“示忙”')
    expect(noticeText({ ...set, later: true })).toBe('王班长把你设为“示忙”，这个通话处理完后生效')
    expect(noticeText({ ...set, state: 'signed_out' })).toBe('王班长让你签出了')
    expect(noticeText({ ...set, state: 'signed_out', later: true })).toBe('王班长让你在这个通话处理完后签出')
  })

  it('is told in English when the page is', () => {
    locale.value = 'en'
    expect(noticeText({ ...set, later: true })).toBe('王班长 has set you to “Not ready”, after this call')
    expect(noticeText({ level: 'error', code: 'queue_rules_bad', text: 'x', detail: 'line 3, column 5: no' })).toContain('line 3')
  })

  it('names the telephone node that is away', () => {
    expect(noticeText({ level: 'error', code: 'node_away', text: 'x', node: 'hotline2' })).toContain('电话节点 hotline2')
    locale.value = 'en'
    expect(noticeText({ level: 'info', code: 'node_back', text: 'x', node: 'hotline2' })).toBe('Telephone node hotline2 is connected again')
  })

  it('keeps the server’s words when this page does not know the code', () => {
    expect(noticeText({ level: 'info', code: 'something_new', text: '服务器的话' })).toBe('服务器的话')
    expect(noticeText({ level: 'info', text: '服务器的话' })).toBe('服务器的话')
  })

  it('says that the journal is well again only when it is', () => {
    expect(noticeText({ level: 'error', code: 'journal', text: 'x' })).not.toBe(noticeText({ level: 'info', code: 'journal', text: 'x' }))
  })
})
