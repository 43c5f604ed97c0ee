// The ring: sound (after a first gesture unlocked it), title, icon and a desktop notification while the page is hidden.
import { ref } from 'vue'
import { t } from '../i18n'

/** 'off': no gesture yet, the browser would stay silent. */
export const sound = ref<'off' | 'on' | 'blocked'>('off')
export const alerts = ref<NotificationPermission | 'missing'>(typeof Notification === 'undefined' ? 'missing' : Notification.permission)

let audio: AudioContext | null = null
let ringing: { stop(): void } | null = null
let note: Notification | null = null
let blink: ReturnType<typeof setInterval> | null = null
let baseTitle = ''

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
function startTone(): { stop(): void } | null {
  if (!audio || audio.state !== 'running') return null
  const volume = audio.createGain()
  volume.gain.value = 0
  volume.connect(audio.destination)
  const voices = [587.33, 739.99].map((hertz) => {
    const voice = audio!.createOscillator()
    voice.type = 'sine'
    voice.frequency.value = hertz
    voice.connect(volume)
    voice.start()
    return voice
  })
  const begin = audio.currentTime
  for (let at = 0; at < 120; at += 3) {
    for (const burst of [0, 0.45]) {
      volume.gain.setTargetAtTime(0.16, begin + at + burst, 0.02)
      volume.gain.setTargetAtTime(0, begin + at + burst + 0.32, 0.04)
    }
  }
  return {
    stop() {
      volume.gain.cancelScheduledValues(0)
      volume.disconnect()
      voices.forEach((voice) => voice.stop())
    },
  }
}
