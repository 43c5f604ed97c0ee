// Keeps a hidden page's timers. Browsers slow a hidden, silent page to one timer a minute after five minutes; one with an
// open data channel they leave alone (a websocket is not enough). So the page talks to itself over one, as long as a shift lasts.

interface Pair {
  near: RTCPeerConnection
  far: RTCPeerConnection
}

const AGAIN_MS = 5_000

export class Awake {
  private pair: Pair | null = null
  private again: ReturnType<typeof setTimeout> | undefined
  private wanted = false

  /** Whether the channel is open now. */
  open = false

  begin(): void {
    if (this.wanted || typeof RTCPeerConnection === 'undefined') return
    this.wanted = true
    void this.connect()
  }

  end(): void {
    this.wanted = false
    clearTimeout(this.again)
    this.drop()
  }

  private drop(): void {
    this.open = false
    this.pair?.near.close()
    this.pair?.far.close()
    this.pair = null
  }

  private async connect(): Promise<void> {
    const pair: Pair = { near: new RTCPeerConnection(), far: new RTCPeerConnection() }
    this.pair = pair
    const channel = pair.near.createDataChannel('awake')
    channel.onopen = () => (this.open = true)
    channel.onclose = () => this.pair === pair && this.lost()
    hand(pair.near, pair.far)
    hand(pair.far, pair.near)
    try {
      await pair.near.setLocalDescription(await pair.near.createOffer())
      await pair.far.setRemoteDescription(pair.near.localDescription!)
      await pair.far.setLocalDescription(await pair.far.createAnswer())
      await pair.near.setRemoteDescription(pair.far.localDescription!)
    } catch {
      if (this.pair === pair) this.lost()
    }
  }

  private lost(): void {
    this.drop()
    if (this.wanted) this.again = setTimeout(() => void this.connect(), AGAIN_MS)
  }
}

/** One end's addresses go to the other. */
function hand(from: RTCPeerConnection, to: RTCPeerConnection): void {
  from.onicecandidate = ({ candidate }) => void to.addIceCandidate(candidate ?? undefined).catch(() => undefined)
}
