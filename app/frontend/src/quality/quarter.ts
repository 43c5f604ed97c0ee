// Quarters as they are written: 2026Q4.
import { cityInput } from '../api/format'

/** This quarter and those before it, the newest first. */
export function lately(now: number, count: number): string[] {
  const [year, month] = cityInput(now).split('-').map(Number) as [number, number]
  const first = year * 4 + Math.floor((month - 1) / 3)
  return Array.from({ length: count }, (_, back) => `${Math.floor((first - back) / 4)}Q${((first - back) % 4) + 1}`)
}
