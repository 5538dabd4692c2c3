/** The one connection to `/api/stream`. Runs in the SharedWorker, or in the tab where there is none. */
import { read, SnapshotBuilder, World, type LinkState, type LiveMessage } from './model'

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

  /** `text`: the body that the message was made of. */
  constructor(private readonly tell: (message: LiveMessage, text?: string) => void) {}

  /** A snapshot is coming in: what `world` holds is about to go. */
  get midway(): boolean {
    return this.#builder.midway
  }

  start(): void {
    if (this.#source || this.#retry) return
    this.#heard = Date.now()
    const source = new EventSource('/api/stream?tables=true')
    this.#source = source
    source.addEventListener('open', () => {
      this.#heard = Date.now()
      if (this.world.ready) this.#say('live')
    })
    source.addEventListener('snapshot', (event) => this.#take('part', event as MessageEvent<string>))
    source.addEventListener('delta', (event) => this.#take('delta', event as MessageEvent<string>))
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

  #take(as: 'part' | 'delta', { data: text }: MessageEvent<string>): void {
    this.#heard = Date.now()
    const message = read({ type: 'text', as, text })
    if (message.type === 'part') {
      const whole = this.#builder.add(message.part)
      if (whole) this.world.adopt(whole)
    } else if (message.type === 'delta') this.world.apply(message.delta)
    this.tell(message, text)
    if (!this.midway) this.#say('live')
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
