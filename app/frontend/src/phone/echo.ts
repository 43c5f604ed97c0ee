// The echo test: the page's telephone calls the exchange, sends a tone of its own, and listens for what comes back.
import type { Line } from './line'
import { Ear, toneLevel } from './sound'
import type { Heard } from './sound'

const HERTZ = 1000
const VOLUME = 0.5
const LOOK_MS = 10
const WINDOW = 1024
const PATIENCE_MS = 2_000

/** What came back of a tone; null: nothing, or the exchange was not reached. */
export async function testEcho(line: Line): Promise<Heard | null> {
  const context = new AudioContext()
  try {
    const { out, begin } = tone(context)
    const { heard, end } = await line.echo(out)
    try {
      return await listen(context, heard, begin)
    } finally {
      end()
    }
  } catch {
    return null
  } finally {
    void context.close().catch(() => undefined)
  }
}

function tone(context: AudioContext): { out: MediaStream; begin(): void } {
  const destination = context.createMediaStreamDestination()
  const volume = context.createGain()
  const voice = context.createOscillator()
  volume.gain.value = 0
  voice.frequency.value = HERTZ
  voice.connect(volume).connect(destination)
  voice.start()
  return { out: destination.stream, begin: () => volume.gain.setValueAtTime(VOLUME, context.currentTime) }
}

async function listen(context: AudioContext, sound: MediaStream, begin: () => void): Promise<Heard | null> {
  // Chromium lets what comes from the network through only while something plays it.
  const mute = new Audio()
  mute.muted = true
  mute.srcObject = sound
  void mute.play().catch(() => undefined)
  const analyser = context.createAnalyser()
  analyser.fftSize = WINDOW
  context.createMediaStreamSource(sound).connect(analyser)
  await context.resume()
  const samples = new Float32Array(new ArrayBuffer(WINDOW * 4))
  begin()
  const began = performance.now()
  const ear = new Ear(began)
  return new Promise((resolve) => {
    const look = setInterval(() => {
      const now = performance.now()
      analyser.getFloatTimeDomainData(samples)
      const heard = ear.hear(now, toneLevel(samples, context.sampleRate, HERTZ))
      if (!heard && now - began < PATIENCE_MS) return
      clearInterval(look)
      mute.srcObject = null
      resolve(heard)
    }, LOOK_MS)
  })
}
