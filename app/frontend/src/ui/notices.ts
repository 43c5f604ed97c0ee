// What the server has to say, in the reader's language; the server's own words for what this page does not know.
import { t, word, type Key } from '../i18n'
import { zh } from '../i18n/zh'
import type { Notice } from '../realtime/protocol'

export function noticeText(notice: Notice): string {
  const key = `notice.${variant(notice)}`
  if (!(key in zh)) return notice.text
  const { by = '', names = '', detail = '', agent = '', node = '' } = notice
  return t(key as Key, { by, names, detail, agent, node, state: word('state', notice.state) })
}

function variant(notice: Notice): string {
  if (notice.code === 'state_set') return notice.state === 'signed_out' ? (notice.later ? 'signed_out_later' : 'signed_out') : notice.later ? 'state_set_later' : 'state_set'
  if (notice.code === 'journal') return notice.level === 'info' ? 'journal_back' : 'journal'
  return notice.code ?? ''
}
