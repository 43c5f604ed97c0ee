// Timers for a hidden page: browsers slow a hidden page's own timers to one a minute, a worker's they leave alone.
const running = new Map<number, number>()

self.onmessage = (message: MessageEvent<{ id: number; after: number } | { id: number; cancel: true }>) => {
  const { data } = message
  if ('cancel' in data) {
    clearTimeout(running.get(data.id))
    running.delete(data.id)
    return
  }
  running.set(
    data.id,
    setTimeout(() => {
      running.delete(data.id)
      self.postMessage(data.id)
    }, data.after) as unknown as number,
  )
}
