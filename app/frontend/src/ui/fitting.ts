// How many entries of a row can be shown before a button for the rest. Pure: widths are told in pixels.

/** What may still grow (a count, the age of the data) without anything in the row having to move. */
const SPARE_PX = 16

/** The first so many of `widths`, `gap` apart, that stand in `room`; where they are not all, with the button `more` behind them. */
export function fitting(widths: readonly number[], gap: number, more: number, room: number): number {
  const taken = (count: number): number => widths.slice(0, count).reduce((sum, one) => sum + one + gap, 0) - (count ? gap : 0)
  if (taken(widths.length) <= room) return widths.length
  const withMore = room - more - gap - SPARE_PX
  return widths.findIndex((_, at) => taken(at + 1) > withMore)
}

/** Whether the row may stay as it is in a room that has become another by what stands beside it: nothing moves under the hand
    for a few pixels. */
export const stays = (before: number, now: number): boolean => Math.abs(now - before) <= SPARE_PX
