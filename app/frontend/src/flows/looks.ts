// How a node looks: colour, icon and word always go together; and how a way out of it is called.
import { t, word } from '../i18n'
import type { Key } from '../i18n'
import type { Look } from '../ui/looks'

const LOOKS: Record<string, Look> = {
  menu: { tone: 'talking', icon: 'dots' },
  number: { tone: 'ringing', icon: 'letters' },
  branch: { tone: 'paused', icon: 'transfer' },
  set: { tone: 'away', icon: 'pen' },
  lookup: { tone: 'wrapup', icon: 'search' },
  end: { tone: 'ready', icon: 'out' },
}

export const lookOf = (kind: string): Look => LOOKS[kind] ?? { tone: 'trouble', icon: 'warning' }
export const kindOf = (kind: string): string => (kind in LOOKS ? t(`flow.kind.${kind}` as Key) : t('flow.kind.none'))

/** A node in words where the project has some, for people; `named` also as the text calls it. */
export const nameOf = (id: string): string => word('menu', id)
export const named = (id: string): string => (nameOf(id) === id ? id : `${nameOf(id)} ${id}`)

/** "key 1" → "1", "outcome found" → "found", "silence" → 不按键. */
export function sayWhy(why: string): string {
  const [, key] = /^key (.+)$/.exec(why) ?? []
  if (key) return key
  const [, outcome] = /^outcome (.+)$/.exec(why) ?? []
  return outcome ? word('flow.outcome', outcome) : word('flow.why', why)
}

export const sayWhys = (whys: readonly string[]): string => whys.map(sayWhy).join(' · ')
