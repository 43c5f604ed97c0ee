// F2, F4, F6, F8, F9 and their Shift forms: free in browsers and Chinese input methods (F4 only without Alt and Ctrl). A key pressed while the input method is
// composing belongs to the input method.
import { onMounted, onUnmounted } from 'vue'

const KEYS = ['F2', 'Shift+F2', 'F4', 'Shift+F4', 'F6', 'Shift+F6', 'F8', 'Shift+F8', 'F9', 'Shift+F9'] as const
export type Chord = (typeof KEYS)[number]
const CHORDS = new Set<string>(KEYS)

/** The chord of a key event; null for every other key, and for one with Ctrl, Alt or Meta. */
export function chordOf(event: Pick<KeyboardEvent, 'key' | 'code' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey'>): Chord | null {
  if (event.ctrlKey || event.altKey || event.metaKey) return null
  // While composing, Windows reports the key as "Process"; its place on the keyboard is still told.
  const name = /^F\d+$/.test(event.key) ? event.key : event.code
  const chord = event.shiftKey ? `Shift+${name}` : name
  return CHORDS.has(chord) ? (chord as Chord) : null
}

interface Handlers {
  press(chord: Chord): void
  /** The chord came while the input method was composing and was left to it. */
  composing(chord: Chord): void
}

export function listen(target: EventTarget, handlers: Handlers): () => void {
  const onKey = (raw: Event): void => {
    const event = raw as KeyboardEvent
    const chord = chordOf(event)
    if (!chord) return
    if (event.isComposing || event.keyCode === 229) return handlers.composing(chord)
    event.preventDefault()
    if (!event.repeat) handlers.press(chord)
  }
  target.addEventListener('keydown', onKey)
  return () => target.removeEventListener('keydown', onKey)
}

const dialogOpen = (): boolean => document.querySelector('dialog[open]') !== null

/** The keys of a page. Beneath an open dialog they rest, unless `beneathDialogs`: a call is answered whatever is on the screen. */
export function useKeys({ press, composing, beneathDialogs }: Handlers & { beneathDialogs?: boolean }): void {
  let stop: (() => void) | null = null
  const pressed = (chord: Chord): void => {
    if (beneathDialogs || !dialogOpen()) press(chord)
  }
  onMounted(() => (stop = listen(window, { press: pressed, composing })))
  onUnmounted(() => stop?.())
}
