// How much the person who is signed in has not read, and which urgent matters nobody has acknowledged: asked again and again, so
// that neither is overlooked on any page.
import { ref } from 'vue'
import { toldCount } from '../api/format'
import { api } from '../api/http'
import type { Page } from '../api/types'
import { t } from '../i18n'
import { toast } from '../notify/toast'
import { may, me } from '../session/session'
import type { Unread } from './types'

export const AGAIN_MS = 15_000
export const unread = ref(0)
/** Urgent matters that nobody has acknowledged, as far as this person can. */
export const urgent = ref(0)
/** Whether a count was told before: what is there at the beginning is no news. */
let begun = false

/** Asks for both. What can't be had now stays as it was: the next look is soon. */
export async function look(): Promise<void> {
  const who = me.value
  if (!who || who.user.must_change_password) return
  const told = await api<Unread>('/notices/unread').catch(() => null)
  const open = may('urgent.acknowledge') ? await api<Page<unknown>>('/urgent', { query: { page_size: 1 } }).catch(() => null) : null
  if (who !== me.value) return
  if (told?.unread !== undefined) unread.value = told.unread
  if (open?.total === undefined) return
  if (begun && open.total > urgent.value) toast(t('urgent.news', { n: toldCount(open.total) }), 'trouble', 15_000)
  begun = true
  urgent.value = open.total
}

/** Somebody else may be signed in next. */
export function forget(): void {
  unread.value = urgent.value = 0
  begun = false
}
