// How a finding is told. Pure.
import { locale, t } from '../i18n'
import type { Look } from '../ui/looks'
import type { Hint } from './types'

export const nameOf = ([zh, en]: [string, string]): string => (locale.value === 'zh' ? zh : en)

/** A phrase that was said as it should be: nobody need hear it. */
export const isWell = (hint: Hint): boolean => hint.kind === 'required' && hint.state === 'said'

export const sayHint = (hint: Hint): string =>
  hint.kind === 'forbidden' ? t('phrases.forbidden', { phrase: hint.phrase || nameOf(hint.name) }) : t(`phrases.state.${hint.state}`, { name: nameOf(hint.name) })

/** Sure, or only perhaps. */
export const hintLook = (hint: Hint): Look =>
  hint.kind === 'required' ? { tone: 'away', icon: 'info' } : hint.near || hint.shared ? { tone: 'paused', icon: 'flag' } : { tone: 'trouble', icon: 'warning' }
