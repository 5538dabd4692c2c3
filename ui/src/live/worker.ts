/// <reference lib="webworker" />
/** All tabs of a browser share this worker and so one stream: HTTP/1.1 gives a browser six connections in all. */
import { Link } from './link'
import type { LiveMessage } from './model'

declare const self: SharedWorkerGlobalScope

/** Tabs say `hello` (hidden ones once a minute at most: browsers slow their timers); a port silent for longer is a closed tab. */
const GONE_MS = 180_000
const ports = new Map<MessagePort, number>()
let user = ''

const link = new Link((message: LiveMessage) => {
  for (const port of ports.keys()) port.postMessage(message)
})

self.onconnect = (event) => {
  const port = event.ports[0]!
  port.onmessage = ({ data }: MessageEvent<{ type: 'hello' | 'start' | 'bye'; user?: string }>) => {
    if (data.type === 'bye') {
      ports.delete(port)
      if (ports.size === 0) link.stop()
      return
    }
    const known = ports.has(port)
    ports.set(port, Date.now())
    if (data.type === 'hello' && known) return
    if (data.type === 'hello') data.user = user
    // Another person signed in: nothing of what the last one saw may remain.
    if (user !== data.user) link.stop()
    user = data.user ?? ''
    link.start()
    if (link.world.ready) port.postMessage({ type: 'snapshot', rows: link.world.snapshot() } satisfies LiveMessage)
    port.postMessage({ type: 'link', state: link.state } satisfies LiveMessage)
  }
  port.start()
}

setInterval(() => {
  const limit = Date.now() - GONE_MS
  for (const [port, seen] of ports) if (seen < limit) ports.delete(port)
  if (ports.size === 0) link.stop()
}, 15_000)
