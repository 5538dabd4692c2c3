/** The one connection to `/api/stream`. Runs in the SharedWorker, or in the tab where there is none. */
import { SnapshotBuilder, World, type Delta, type LiveMessage, type LinkState, type SnapshotPart } from './model'

const RETRY_MS = 3_000
/** The server pings; silence longer than this means that the connection is dead without knowing it. */
const SILENCE_MS = 45_000

export class Link {
  readonly world = new World()
  #source: EventSource | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #watch: ReturnType<typeof setInterval> | undefined
  #heard = 0
  #builder = new SnapshotBuilder()
  state: LinkState = 'connecting'

  constructor(private readonly tell: (message: LiveMessage) => void) {}

  start(): void {
    if (this.#source || this.#retry) return
    this.#heard = Date.now()
    const source = new EventSource('/api/stream')
    this.#source = source
    source.addEventListener('open', () => {
      this.#heard = Date.now()
      if (this.world.ready) this.#say('live')
    })
    source.addEventListener('snapshot', (event) => {
      this.#heard = Date.now()
      const rows = this.#builder.add(JSON.parse((event as MessageEvent<string>).data) as SnapshotPart)
      if (!rows) return
      this.world.replace(rows)
      this.tell({ type: 'snapshot', rows })
      this.#say('live')
    })
    source.addEventListener('delta', (event) => {
      this.#heard = Date.now()
      const delta = JSON.parse((event as MessageEvent<string>).data) as Delta
      this.world.apply(delta)
      this.tell({ type: 'delta', delta })
      this.#say('live')
    })
    source.addEventListener('ping', () => {
      this.#heard = Date.now()
    })
    source.addEventListener('error', () => {
      this.#say('lost')
      // A connection that merely dropped comes back by itself and resumes; a refused one is closed for good.
      if (source.readyState === EventSource.CLOSED) {
        this.tell({ type: 'refused' })
        this.#again()
      }
    })
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heard > SILENCE_MS) {
        this.#say('lost')
        this.#again()
      }
    }, 5_000)
  }

  stop(): void {
    this.#source?.close()
    this.#source = undefined
    clearInterval(this.#watch)
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.state = 'connecting'
    this.world.ready = false
    this.#builder = new SnapshotBuilder()
  }

  #again(): void {
    this.#source?.close()
    this.#source = undefined
    clearInterval(this.#watch)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.start()
    }, RETRY_MS)
  }

  #say(state: LinkState): void {
    if (state === this.state) return
    this.state = state
    this.tell({ type: 'link', state })
  }
}
