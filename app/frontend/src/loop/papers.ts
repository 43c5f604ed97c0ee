// Attachments are called "voicemail:3" and "fax:7"; people read what they are.
import { t } from '../i18n'

export function paperName(id: string): string {
  const [kind, n] = id.split(':')
  return t(kind === 'fax' ? 'work.paper.fax' : 'work.paper.voicemail', { n: n ?? '' })
}
