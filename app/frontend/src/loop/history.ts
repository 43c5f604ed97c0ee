// A line of a case's history in words: what was touched, said, asked and answered.
import { dateTime, joined } from '../api/format'
import type { CaseEvent } from '../api/types'
import { t, word } from '../i18n'
import type { Key } from '../i18n'
import { zh } from '../i18n/zh'
import { QUESTIONS } from './heard'

type Detail = Record<string, unknown>
type Names = ReadonlyMap<number, string>

/** Which unit the line is about, if its name is known. */
export const unitOf = (event: CaseEvent, names: Names): string => names.get(Number(event.detail?.unit_id)) ?? text(event.detail?.unit)

/** What was said and decided, a sentence each. */
export function told(event: CaseEvent, names: Names): string[] {
  const detail = event.detail ?? {}
  const name = word('event', event.event)
  return [touched(detail), ...choices(detail), units(detail, names), inTheCall(detail), ...asked(detail), ...texts(detail)].filter((line) => line && line !== name)
}

/** Names of the fields that an edit touched. */
function touched(detail: Detail): string {
  const { fields } = detail
  const names = Array.isArray(fields) ? (fields as string[]) : fields && typeof fields === 'object' ? Object.keys(fields) : []
  return joined(names.map((name) => (`case.${name}` in zh ? t(`case.${name}` as Key) : name)))
}

/** Why a unit gave its share back the last time; "" if it did not, or if that is not for the reader. */
export function whyBack(events: CaseEvent[], assignment: number): string {
  const last = events.filter((event) => event.event === 'unit.returned' && event.detail?.assignment === assignment).pop()
  return text(last?.detail?.reason)
}

const WORDED = { way: 'way', urgency: 'clocks.urgency', ground: 'ground', reached: 'reached', satisfaction: 'opinion' } as const

function choices(detail: Detail): string[] {
  const words = Object.entries(WORDED).map(([name, prefix]) => word(prefix, text(detail[name])))
  return [joined(words.filter(Boolean))]
}

function units(detail: Detail, names: Names): string {
  const given = Array.isArray(detail.units) ? (detail.units as (number | { unit_id: number; lead?: boolean })[]) : []
  const shown = given.map((one) => {
    const name = names.get(typeof one === 'number' ? one : one.unit_id) ?? ''
    return name && typeof one !== 'number' && one.lead ? t('loop.leads', { unit: name }) : name
  })
  return joined(shown.filter(Boolean))
}

/** When a unit was in the three-way call. */
function inTheCall(detail: Detail): string {
  const [since, until] = [text(detail.joined_at), text(detail.left_at)]
  return since ? t('loop.inTheCall', { since: dateTime(since), until: until ? dateTime(until) : '' }) : ''
}

function asked(detail: Detail): string[] {
  const answers = QUESTIONS.filter((name) => typeof detail[name] === 'boolean').map((name) => t('loop.pair', { name: t(`followUp.${name}`), value: t(detail[name] ? 'loop.yes' : 'loop.no') }))
  return [joined(answers), detail.propose_redo ? t('followUp.propose_redo') : '']
}

function texts(detail: Detail): string[] {
  const until = text(detail.until)
  const into = text(detail.original)
  const said = [detail.reason, detail.answer, detail.instructions, detail.note].map(text)
  if (text(detail.opinion) !== said[0]) said.push(text(detail.opinion))
  return [into, until && t('loop.until', { when: dateTime(until) }), ...said]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
