// The ring: sound (after a first gesture unlocked it), title, icon and a desktop notification while the page is hidden.
import { ref } from 'vue'
import { t } from '../i18n'
import { choice, devices, playOn, ringPlaces } from '../phone/devices'

/** 'off': no gesture yet, the browser would stay silent. */
export const sound = ref<'off' | 'on' | 'blocked'>('off')
export const alerts = ref<NotificationPermission | 'missing'>(typeof Notification === 'undefined' ? 'missing' : Notification.permission)

let audio: AudioContext | null = null
let ringing: { stop(): void } | null = null
let note: Notification | null = null
let blink: ReturnType<typeof setInterval> | null = null
let baseTitle = ''
const LOUDEST = 0.23
const TRIED_MS = 500

/** Call from a click or key: afterwards the browser lets the page ring. */
export async function unlockSound(): Promise<void> {
  try {
    audio ??= new AudioContext()
    await audio.resume()
    sound.value = audio.state === 'running' ? 'on' : 'blocked'
  } catch {
    sound.value = 'blocked'
  }
}

export async function askAlerts(): Promise<void> {
  if (typeof Notification === 'undefined') return
  alerts.value = await Notification.requestPermission()
}

/** Rings for a call from `who` until quiet() is called. `whenClicked`: the notification was chosen. */
export function ring(who: string, whenClicked: () => void): void {
  quiet()
  baseTitle = document.title
  const called = t('ring.title', { number: who })
  document.title = `● ${called}`
  setIcon('/favicon-ring.svg')
  blink = setInterval(() => (document.title = document.title.startsWith('●') ? called : `● ${called}`), 1000)
  ringing = startTone()
  if (document.hidden && alerts.value === 'granted') {
    note = new Notification(called, { body: t('call.answerOnPhone'), tag: 'hotline-ring', requireInteraction: true, icon: '/favicon-ring.svg' })
    note.onclick = () => {
      window.focus()
      note?.close()
      whenClicked()
    }
  }
}

export function quiet(): void {
  if (blink !== null) {
    clearInterval(blink)
    blink = null
    document.title = baseTitle
    setIcon('/favicon.svg')
  }
  ringing?.stop()
  ringing = null
  note?.close()
  note = null
}

function setIcon(href: string): void {
  document.querySelector<HTMLLinkElement>('link[rel=icon]')?.setAttribute('href', href)
}

/** Two short tones, once: something wants to be looked at. Silent until a gesture has unlocked the sound. */
export function chime(): void {
  if (!audio || audio.state !== 'running') return
  const begin = audio.currentTime
  for (const [at, hertz] of [[0, 880], [0.22, 659.26]] as const) {
    const voice = audio.createOscillator()
    const volume = audio.createGain()
    voice.frequency.value = hertz
    volume.gain.setValueAtTime(0.14, begin + at)
    volume.gain.setTargetAtTime(0, begin + at + 0.12, 0.04)
    voice.connect(volume)
    volume.connect(audio.destination)
    voice.start(begin + at)
    voice.stop(begin + at + 0.4)
  }
}

/** Two soft tones, one second of ring in every three, laid out ahead so that a hidden page's slow timers do not matter. */
function startTone(lastsS = 120): { stop(): void } | null {
  if (!audio || audio.state !== 'running') return null
  const volume = audio.createGain()
  volume.gain.value = 0
  const silence = ringPlaces(choice.value, devices.value).map((place) => playIn(audio!, volume, place))
  const voices = [587.33, 739.99].map((hertz) => {
    const voice = audio!.createOscillator()
    voice.type = 'sine'
    voice.frequency.value = hertz
    voice.connect(volume)
    voice.start()
    return voice
  })
  const begin = audio.currentTime
  const loud = LOUDEST * choice.value.ringVolume
  for (let at = 0; at < lastsS; at += 3) {
    for (const burst of [0, 0.45]) {
      volume.gain.setTargetAtTime(loud, begin + at + burst, 0.02)
      volume.gain.setTargetAtTime(0, begin + at + burst + 0.32, 0.04)
    }
  }
  return {
    stop() {
      volume.gain.cancelScheduledValues(0)
      volume.disconnect()
      voices.forEach((voice) => voice.stop())
      silence.forEach((end) => end())
    },
  }
}

/** Sends a sound to one device ("" = the system's); the result ends it. */
function playIn(context: AudioContext, sound: AudioNode, place: string): () => void {
  if (place === '') {
    sound.connect(context.destination)
    return () => undefined
  }
  const out = context.createMediaStreamDestination()
  sound.connect(out)
  const element = new Audio()
  element.srcObject = out.stream
  // A device that has just been pulled out is no reason to stay silent: then it rings on the system's.
  void playOn(element, place).then(() => element.play().catch(() => undefined))
  return () => {
    element.pause()
    element.srcObject = null
  }
}

/** Rings once, for the agent to hear. False: the browser keeps the page silent. */
export async function tryRing(): Promise<boolean> {
  await unlockSound()
  const tone = startTone(3)
  if (!tone) return false
  const began = audio?.currentTime ?? 0
  await new Promise((done) => setTimeout(done, TRIED_MS))
  const played = (audio?.currentTime ?? 0) > began
  setTimeout(() => tone.stop(), TRIED_MS)
  return played
}
