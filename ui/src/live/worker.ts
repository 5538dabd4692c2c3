/// <reference lib="webworker" />
/** All tabs of a browser share this worker and so one stream: HTTP/1.1 gives a browser six connections in all. */
import { Link } from './link'
import type { WorkerMessage } from './model'

declare const self: SharedWorkerGlobalScope

/** Tabs say `hello` (hidden ones once a minute at most: browsers slow their timers); a port silent for longer is a closed tab. */
const GONE_MS = 180_000
const ports = new Map<MessagePort, number>()
/** Tabs that came while a snapshot was coming in: they are given the whole when it is there. */
const late = new Set<MessagePort>()
let user = ''
let given = 0

const link = new Link((message, text) => {
  const { type } = message
  const told: WorkerMessage = text !== undefined && (type === 'part' || type === 'delta') ? { type: 'text', as: type, text } : message
  for (const port of ports.keys()) if (type !== 'part' || !late.has(port)) port.postMessage(told)
  if (!link.midway && type === 'part') {
    for (const port of late) give(port)
    late.clear()
  }
})

/** A snapshot of what is known. */
function give(port: MessagePort): void {
  given += 1
  for (const part of link.world.parts(`tab-${given}`)) port.postMessage({ type: 'part', part } satisfies WorkerMessage)
}

function leave(port: MessagePort): void {
  ports.delete(port)
  late.delete(port)
  if (ports.size === 0) link.stop()
}

self.onconnect = (event) => {
  const port = event.ports[0]!
  port.onmessage = ({ data }: MessageEvent<{ type: 'hello' | 'start' | 'bye'; user?: string }>) => {
    if (data.type === 'bye') {
      leave(port)
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
    if (link.midway) late.add(port)
    else if (link.world.ready) give(port)
    port.postMessage({ type: 'link', state: link.state } satisfies WorkerMessage)
  }
  port.start()
}

setInterval(() => {
  const limit = Date.now() - GONE_MS
  for (const [port, seen] of ports) if (seen < limit) leave(port)
}, 15_000)
