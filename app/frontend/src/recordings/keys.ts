// Keys of a player: arrows where it has the focus, single letters anywhere unless they are switched off (WCAG 2.1.4).

export type Press = { by: number } | { to: 'start' | 'end' } | 'toggle'

const ARROWS: Record<string, Press> = {
  ArrowLeft: { by: -5 },
  ArrowRight: { by: 5 },
  PageUp: { by: 30 },
  PageDown: { by: -30 },
  Home: { to: 'start' },
  End: { to: 'end' },
}
const LETTERS: Record<string, Press> = { j: { by: -10 }, k: 'toggle', l: { by: 10 } }

type Key = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'shiftKey' | 'isComposing'>
const plain = (event: Key): boolean => !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey && !event.isComposing

/** What a key does while the player has the focus. */
export const arrowOf = (event: Key): Press | null => (plain(event) ? (ARROWS[event.key] ?? null) : null)

/** What a letter does; nothing while somebody writes. */
export const letterOf = (event: Key, writing: boolean): Press | null => (plain(event) && !writing ? (LETTERS[event.key.toLowerCase()] ?? null) : null)

/** Whether the place of a key press takes keys itself: text, choices. */
export const takesKeys = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('input, select, textarea, [contenteditable=true], dialog[open]') !== null
