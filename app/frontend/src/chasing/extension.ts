// More time in words: "3 个工作日".
import { t } from '../i18n'
import type { Key } from '../i18n'
import type { Extension } from './types'

export const more = (of: Pick<Extension, 'amount' | 'unit_of_time'>): string => t(`extensions.more.${of.unit_of_time}` as Key, { n: of.amount })
