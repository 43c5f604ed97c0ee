// How each figure of the wall stands against its target.

export type Level = 'good' | 'near' | 'bad' | 'none'

export interface Target {
  good: number
  near: number
}

/** GB/T 33358: connect rate of any continuous 24 hours at least 95 %. */
export const CONNECT_24H: Target = { good: 0.95, near: 0.9 }
/** GB/T 33358 wants an answer within 15 s; the share that reached it follows the usual 90 % goal. */
export const ANSWERED_15S: Target = { good: 0.9, near: 0.8 }
/** Seconds: the standard's 15; a minute is where callers begin to leave. */
export const LONGEST_WAIT_S: Target = { good: 15, near: 60 }

export function atLeast(value: number | null, target: Target): Level {
  if (value === null) return 'none'
  return value >= target.good ? 'good' : value >= target.near ? 'near' : 'bad'
}

export function atMost(value: number | null, target: Target): Level {
  if (value === null) return 'none'
  return value <= target.good ? 'good' : value <= target.near ? 'near' : 'bad'
}

/** Callers waiting against agents who could take them: none, no more than the ready agents, or more. */
export function depthLevel(depth: number, ready: number): Level {
  if (depth === 0) return 'good'
  return depth <= Math.max(1, ready) ? 'near' : 'bad'
}

/** How long a state has lasted, for shading: nothing, worth a look, too long. */
export function ageLevel(state: string, seconds: number): 'plain' | 'look' | 'long' {
  const [look, long] = { talking: [600, 1200], wrap_up: [60, 180], not_ready: [900, 1800], offered: [10, 20] }[state] ?? [Infinity, Infinity]
  return seconds >= (long ?? Infinity) ? 'long' : seconds >= (look ?? Infinity) ? 'look' : 'plain'
}
