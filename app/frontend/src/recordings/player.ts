// One player: where it is, how fast, whose voice. The element loads nothing before somebody wants to hear it: to load is to listen,
// and listening is audited.
import { computed, onMounted, onUnmounted, ref, shallowRef, watch } from 'vue'
import type { ComputedRef, Ref, ShallowRef } from 'vue'
import { remember, remembered } from '../ui/kept'
import { letterOf, takesKeys } from './keys'
import type { Press } from './keys'

export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2]
export const SIDES = ['both', 'citizen', 'agent'] as const
export type Side = (typeof SIDES)[number]

export interface Player {
  /** Seconds. */
  at: Ref<number>
  length: ComputedRef<number>
  playing: Ref<boolean>
  broken: Ref<boolean>
  speed: Ref<number>
  side: Ref<Side>
  seek(second: number): void
  toggle(): void
  press(what: Press): void
}

const KEPT = 'hotline.playerLetters'
/** Whether J, K and L steer the player that was used last. */
export const letters = ref(remembered(KEPT) !== 'off')
watch(letters, (on) => remember(KEPT, on ? 'on' : 'off'))

/** The player that letters steer. */
const current = shallowRef<Player | null>(null)

/** Which side goes to which ear: both as they are, or one of them to both. */
function useSides(element: Ref<HTMLAudioElement | null>, side: Ref<Side>): () => void {
  let gains: GainNode[] | null = null
  let context: AudioContext | null = null

  function build(audio: HTMLAudioElement): void {
    context = new AudioContext()
    const split = context.createChannelSplitter(2)
    const merge = context.createChannelMerger(2)
    context.createMediaElementSource(audio).connect(split)
    // From side to ear: left-left, left-right, right-left, right-right.
    gains = [0, 1, 2, 3].map((at) => {
      const gain = context!.createGain()
      split.connect(gain, at >> 1)
      gain.connect(merge, 0, at & 1)
      return gain
    })
    merge.connect(context.destination)
  }

  function set(): void {
    if (!element.value || (!gains && side.value === 'both')) return
    if (!gains) build(element.value)
    const [left, right] = [side.value !== 'agent', side.value !== 'citizen']
    const alone = side.value !== 'both'
    const wanted = [left, left && alone, right && alone, right]
    gains!.forEach((gain, at) => (gain.gain.value = wanted[at] ? 1 : 0))
    void context!.resume()
  }

  watch(side, set)
  onUnmounted(() => void context?.close())
  return () => void context?.resume()
}

export function usePlayer(element: ShallowRef<HTMLAudioElement | null>, told: () => number): Player {
  const at = ref(0)
  const known = ref(0)
  const playing = ref(false)
  const broken = ref(false)
  const speed = ref(1)
  const side = ref<Side>('both')
  const length = computed(() => known.value || told())
  const wake = useSides(element, side)

  function seek(second: number): void {
    at.value = Math.min(Math.max(0, second), length.value)
    if (element.value) element.value.currentTime = at.value
    current.value = player
  }

  function toggle(): void {
    const audio = element.value
    if (!audio) return
    current.value = player
    if (!audio.paused) return audio.pause()
    wake()
    if (at.value >= length.value) seek(0)
    // A stop before it has begun is no fault.
    void audio.play().catch((cause: unknown) => (broken.value = !(cause instanceof DOMException && cause.name === 'AbortError')))
  }

  function press(what: Press): void {
    if (what === 'toggle') toggle()
    else if ('by' in what) seek(at.value + what.by)
    else seek(what.to === 'start' ? 0 : length.value)
  }

  const player: Player = { at, length, playing, broken, speed, side, seek, toggle, press }

  const onLetter = (event: KeyboardEvent): void => {
    if (!letters.value || (current.value ?? player) !== player) return
    const what = letterOf(event, takesKeys(event.target) || document.querySelector('dialog[open]') !== null)
    if (!what) return
    event.preventDefault()
    press(what)
  }

  onMounted(() => {
    const audio = element.value
    window.addEventListener('keydown', onLetter)
    current.value ??= player
    if (!audio) return
    audio.preservesPitch = true
    audio.addEventListener('timeupdate', () => (at.value = audio.currentTime))
    audio.addEventListener('durationchange', () => (known.value = Number.isFinite(audio.duration) ? audio.duration : 0))
    audio.addEventListener('play', () => (playing.value = true))
    audio.addEventListener('pause', () => (playing.value = false))
    audio.addEventListener('error', () => (broken.value = true))
  })
  watch(speed, (value) => element.value && (element.value.playbackRate = value))
  onUnmounted(() => {
    window.removeEventListener('keydown', onLetter)
    if (current.value === player) current.value = null
  })
  return player
}
