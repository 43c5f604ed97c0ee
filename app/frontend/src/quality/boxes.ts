// Which lists of reviews somebody has.
import { may, me } from '../session/session'
import { BOXES } from './types'
import type { Box } from './types'

const SHOWN: Record<Box, () => boolean> = {
  mine: () => may('quality.review'),
  own: () => may('quality.own') && me.value?.agent !== null,
  appeals: () => may('quality.decide'),
  all: () => may('quality.read'),
}

export const boxes = (): Box[] => BOXES.filter((box) => SHOWN[box]())
