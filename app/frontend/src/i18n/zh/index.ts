// All Chinese texts, a file for each page. Plain words, what happened and what to do; no 请/抱歉/无效 in errors.
import { admin } from './admin'
import { announcements } from './announcements'
import { app } from './app'
import { audits } from './audits'
import { callbacks } from './callbacks'
import { campaigns } from './campaigns'
import { card } from './card'
import { cases } from './cases'
import { chasing } from './chasing'
import { clocks } from './clocks'
import { demo } from './demo'
import { desk } from './desk'
import { editions } from './editions'
import { flows } from './flows'
import { knowledge } from './knowledge'
import { loop } from './loop'
import { notices } from './notices'
import { outside } from './outside'
import { phrases } from './phrases'
import { progress } from './progress'
import { quality } from './quality'
import { recordings } from './recordings'
import { records } from './records'
import { room } from './room'
import { roster } from './roster'
import { rules } from './rules'
import { said } from './said'
import { session } from './session'
import { shift } from './shift'
import { similar } from './similar'
import { templates } from './templates'
import { talk } from './talk'
import { units } from './units'
import { wallboard } from './wallboard'
import { work } from './work'

export const zh = {
  ...app,
  ...session,
  ...desk,
  ...talk,
  ...shift,
  ...cases,
  ...card,
  ...similar,
  ...records,
  ...recordings,
  ...quality,
  ...editions,
  ...phrases,
  ...audits,
  ...loop,
  ...wallboard,
  ...callbacks,
  ...announcements,
  ...campaigns,
  ...rules,
  ...room,
  ...roster,
  ...units,
  ...clocks,
  ...work,
  ...notices,
  ...chasing,
  ...knowledge,
  ...admin,
  ...outside,
  ...demo,
  ...progress,
  ...templates,
  ...said,
  ...flows,
} as const
