// The alerts that are open, on every page of whoever may control agents. Each is told once in a browser: by a short sound and a
// message; what was told before the page was loaded again is not told again.
import { computed, onMounted, onUnmounted, watch } from 'vue'
import { duration, percent } from '../api/format'
import { act } from '../agent/desk'
import { t } from '../i18n'
import type { Key } from '../i18n'
import { chime, sound, unlockSound } from '../notify/ring'
import { toast } from '../notify/toast'
import type { BoardAlert } from '../realtime/protocol'
import { live } from '../realtime/store'
import { may } from '../session/session'
import { remember, remembered } from '../ui/kept'

const KEPT = 'hotline.alerts.told'
const MOST_KEPT = 200
/** Pages that show what is open: a message beside it would only cover it. */
const IN_SIGHT = new Set(['/room', '/room/alerts', '/wallboard'])

export const alerts = computed<BoardAlert[]>(() => live.value.board?.alerts ?? [])
/** What nobody has acknowledged. */
export const unknown = computed(() => alerts.value.filter((alert) => !alert.acked_by))

/** Which of these are to be told now, and what is known to be told afterwards: what is open, and of the rest the newest, `MOST_KEPT` in all if
    they suffice. Acknowledged ones are told to nobody. */
export function toTell(told: readonly string[], open: readonly BoardAlert[]): { fresh: BoardAlert[]; told: string[] } {
  const known = new Set(told)
  const fresh = open.filter((alert) => !alert.acked_by && !known.has(alert.alert_id))
  const still = new Set(open.map((alert) => alert.alert_id))
  const all = [...told, ...fresh.map((alert) => alert.alert_id)]
  return { fresh, told: all.filter((one, at) => at >= all.length - MOST_KEPT || still.has(one)) }
}

/** A value or a threshold as people read it. */
export function measured(sort: BoardAlert['sort'], value: number): string {
  if (sort === 'seconds') return duration(value)
  if (sort === 'share') return percent(value)
  if (sort === 'megabytes') return `${Math.floor(value)} MB`
  return String(Math.round(value))
}

/** What an alert says: "坐席 1003 陈晓 通话过长". */
export function alertText(alert: Pick<BoardAlert, 'kind' | 'subject' | 'name'>): string {
  const what = t(`alert.${alert.kind}` as Key)
  return alert.subject ? t('alert.of', { who: [alert.subject, alert.name].filter(Boolean).join(' '), what }) : what
}

export const acknowledge = (alert: BoardAlert): Promise<boolean> => act('alert.acknowledge', { alert_id: alert.alert_id })

/** What this browser has told, in whichever of its windows. */
function toldBefore(): string[] {
  try {
    const kept: unknown = JSON.parse(remembered(KEPT) ?? '[]')
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string') : []
  } catch {
    return [] // not what was written
  }
}

/** For the frame of the pages: tells what is new, and has the first key or click unlock the sound. (When a click is over: a banner
    that goes while the button is down would have the click miss.) */
export function hearAlerts(): void {
  let told: string[] = [] // a browser that keeps nothing tells it again only after the page was loaded again
  watch(alerts, (open) => {
    if (!may('agents.control') || !toTell(told, open).fresh.length) return
    const next = toTell([...new Set([...toldBefore(), ...told])], open)
    told = next.told
    if (!next.fresh.length) return
    remember(KEPT, JSON.stringify(told))
    chime()
    if (IN_SIGHT.has(location.pathname)) return
    const [first] = next.fresh
    toast(next.fresh.length > 1 ? t('alert.several', { n: next.fresh.length, first: alertText(first!) }) : alertText(first!), 'trouble', 9000)
  })
  const unlock = (): void => {
    if (may('agents.control') && sound.value !== 'on') void unlockSound()
  }
  onMounted(() => ['click', 'keydown'].forEach((event) => window.addEventListener(event, unlock)))
  onUnmounted(() => ['click', 'keydown'].forEach((event) => window.removeEventListener(event, unlock)))
}
