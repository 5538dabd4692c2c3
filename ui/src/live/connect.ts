/** Connects this tab's store to the shared worker, or to a stream of its own where SharedWorker is missing. */
import { Link } from './link'
import { noRows, read, type LiveMessage, type WorkerMessage } from './model'
import { store } from './store'

let stopLive: (() => void) | undefined

/** Begins to receive for this user; `whenRefused` runs when the server closed the stream (ended session?). */
export function startLive(user: string, whenRefused: () => void): void {
  stopLive?.()
  const take = (message: LiveMessage) => {
    if (message.type === 'refused') whenRefused()
    else store.receive(message)
  }
  if (typeof SharedWorker === 'undefined') {
    const link = new Link(take)
    link.start()
    stopLive = () => link.stop()
    return
  }
  const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'pharmq-live' })
  worker.port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => take(read(data))
  worker.port.start()
  worker.port.postMessage({ type: 'start', user })
  const hello = setInterval(() => worker.port.postMessage({ type: 'hello' }), 5_000)
  // A tab that comes back from the browser's page cache or a long sleep asks for the whole state again.
  const show = (event: PageTransitionEvent) => {
    if (event.persisted) worker.port.postMessage({ type: 'start', user })
  }
  const hide = () => worker.port.postMessage({ type: 'bye' })
  addEventListener('pageshow', show)
  addEventListener('pagehide', hide)
  stopLive = () => {
    clearInterval(hello)
    removeEventListener('pageshow', show)
    removeEventListener('pagehide', hide)
    worker.port.postMessage({ type: 'bye' })
    worker.port.close()
  }
}

export function endLive(): void {
  stopLive?.()
  stopLive = undefined
  store.receive({ type: 'snapshot', rows: noRows() })
  store.world.ready = store.world.placed = false
}
