/**
 * One console: its element, its noVNC or terminal, its state. It belongs to no component; pages only borrow the element,
 * so that navigation, tiling and another language never cut a session.
 */
import type RFB from '@novnc/novnc'

import { api, ApiError } from '@/api/client'
import type { Host, Viewer, VncSession } from '@/api/types'
import { store } from '@/live/store'

import { endOfCall, endOfSocket, explained, pause, type End } from './ends'
import type { Desk, Hands } from './hands'
import { LastPicture } from './last-picture'
import { keyOf, type Kind, type Place } from './place'
import type { TerminalFace } from './terminal'
import { askTicket } from './ticket'

export type ConsoleState = 'starting' | 'connecting' | 'connected' | 'view_only' | 'reconnecting' | 'lost'
/** The picture scaled into its place, pixel by pixel, or the guest asked to take the place's size. */
export type Size = 'fit' | 'actual' | 'guest'

/** What pages show of a console; a new object with each change. */
export interface ConsoleTab {
  /** One console per place and browser tab. */
  key: string
  kind: Kind
  /** 0 for a node's own shell. */
  vmId: number
  /** Of a node's own shell; else 0. */
  hostId: number
  state: ConsoleState
  /** What ended it, or what the last attempt met. */
  error?: ApiError
  /** When the next attempt starts by itself (ms), while one is due. */
  retryAt?: number
  /** When the kept last picture was taken (ms), while it is shown. */
  pictureAt?: number
  /** Asked for by the person; who controls is the server's word (`state`). */
  viewOnly: boolean
  /** The person may watch, but not control. */
  mayOnlyView: boolean
  /** Names the session at the server, for handing control over. */
  sessionKey?: string
  size: Size
  /** Enlarged by pinching. */
  zoomed: boolean
  /** Codes of the modifiers that the key bar holds down. */
  held: readonly string[]
  /** How far a pasted text has been typed, in strokes. */
  typing?: { done: number; total: number }
  /** What the guest copied last, and when it came (ms). In memory only. */
  clipboard?: { text: string; at: number }
}

/** Longest wait for a picture after the socket opened; the server itself gives up before. */
const OPENING_MS = 40_000
/** The same where the VM is started first. */
const STARTING_MS = 170_000
/** A connection that held this long starts the back-off anew. */
const STEADY_MS = 10_000
/** How long a VM that was restarted here is waited for. */
const BACK_MS = 180_000
/** Over which time the consoles of a server that came back are opened again. */
const BACK_SPREAD_MS = 1_000
/** How long a console waits for the window that takes its place. */
const LEAVING_MS = 20_000

const STOPPED: ReadonlySet<string> = new Set(['console.vm_stopped', 'console.vm_stopped_during'])

export class Screen implements Desk {
  readonly frame = document.createElement('div')
  readonly well = document.createElement('div')
  tab: ConsoleTab
  /** There once the code for it is: with the first connection. */
  hands: Hands | undefined
  terminal: TerminalFace | undefined
  #place: Place
  #picture = new LastPicture(this.frame, () => this.tell({ pictureAt: undefined }))
  #rfb: RFB | undefined
  #socket: WebSocket | undefined
  /** A stopped VM is to be started by the next attempt. */
  #start: boolean
  /** Grows with each attempt; what belongs to an older one is void. */
  #turn = 0
  #attempt = 0
  /** A picture was there since somebody last asked for one by hand. */
  #shown = false
  /** Only waits for its successor. */
  #leaving = false
  /** Until when (ms) a stop of the VM is one that was asked for, with a return to follow. */
  #backUntil = 0
  #abort = new AbortController()
  #stops: (() => void)[] = []
  #unwatch: () => void
  #told: () => void

  constructor(place: Place, told: () => void, start = false) {
    this.#told = told
    this.#place = place
    this.#start = start
    const [vmId, hostId] = place.kind === 'shell' ? [0, place.id] : [place.id, 0]
    this.tab = { key: keyOf(place), kind: place.kind, vmId, hostId, state: start ? 'starting' : 'connecting', viewOnly: false, mayOnlyView: false, size: 'fit', zoomed: false, held: [] }
    this.frame.className = 'console-frame'
    this.well.className = 'console-well'
    this.frame.append(this.well)
    this.#unwatch = place.kind === 'screen' ? store.watchRow('screens', place.id, () => this.#followMode()) : () => {}
    void this.#dial()
  }

  /** By hand, or because the cause seems gone: at once, with a fresh session. `start`: a stopped VM is started first. */
  reconnect(start = false): void {
    this.#attempt = 0
    this.#shown = false
    this.#start = start
    void this.#dial()
  }

  /** Somebody here asked for a start or restart: the screen comes back when the host says that the VM runs. */
  expectBack(): void {
    this.#backUntil = Date.now() + BACK_MS
    if (!this.#rfb) this.#awaitRunning()
  }

  #awaitRunning(): void {
    const { vmId } = this.tab
    const look = () => {
      if (store.row('vms', vmId)?.status === 'running' && !store.row('vms', vmId)?.task) this.reconnect()
    }
    this.#stops.push(store.watchRow('vms', vmId, look))
    look()
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true })
    this.terminal?.focus()
  }

  get rfb(): RFB | undefined {
    return this.#rfb
  }

  get container(): boolean {
    return store.row('vms', this.tab.vmId)?.guest_type === 'lxc'
  }

  /**
   * Goes once another session of the same person is on the screen (a window of its own), or after a while: whoever waits for control must not
   * get it in between. Without a screen that is shared, at once.
   */
  closeAfterAnother(): void {
    const mine = this.#mine()
    if (!mine || !this.#rfb) {
      this.close()
      return
    }
    const known = new Set(store.row('screens', this.tab.vmId)?.viewers.map((one) => one.session_key))
    const joined = () => store.row('screens', this.tab.vmId)?.viewers.some((one) => one.user_id === mine.user_id && one.phase === 'open' && !known.has(one.session_key))
    this.#leaving = true
    this.#after(LEAVING_MS, () => this.close())
    this.#stops.push(store.watchRow('screens', this.tab.vmId, () => joined() && this.close()))
  }

  close(): void {
    this.#turn += 1
    this.#abort.abort()
    this.#unwatch()
    this.#release()
    this.hands?.end()
    this.terminal?.end()
    this.#picture.drop()
    this.frame.remove()
  }

  tell(change: Partial<ConsoleTab>): void {
    this.tab = { ...this.tab, ...change }
    this.#told()
  }

  // -- who controls ----------------------------------------------------------------------------------------------

  /** Watch only, or control again; throws the server's refusal (`console.controlled`: somebody else does). */
  async setViewOnly(viewOnly: boolean, force = false): Promise<void> {
    if (viewOnly) {
      // What is typed from now on stays here, even before the server has heard of it.
      if (this.#rfb) this.#rfb.viewOnly = true
      this.tell({ viewOnly })
    }
    const { sessionKey, state } = this.tab
    if (sessionKey && (state === 'connected' || state === 'view_only')) {
      await api.put(`/api/vnc/sessions/${sessionKey}/mode`, { mode: viewOnly ? 'view' : 'control', force })
    }
    this.tell({ viewOnly })
  }

  /** Our own entry among those on the screen, as the server tells it. */
  #mine(): Viewer | undefined {
    return store.row('screens', this.tab.vmId)?.viewers.find((one) => one.session_key === this.tab.sessionKey)
  }

  #followMode(): void {
    const { state } = this.tab
    const mine = this.#mine()
    if (!mine || !this.#rfb || (state !== 'connected' && state !== 'view_only')) return
    const next = mine.mode === 'view' ? 'view_only' : 'connected'
    if (next === state) return
    this.#rfb.viewOnly = mine.mode === 'view'
    this.tell({ state: next, held: [], ...(mine.mode === 'control' ? { viewOnly: false } : {}) })
  }

  // -- connecting ------------------------------------------------------------------------------------------------

  /** Ends what the last attempt left: timers, watchers, socket, noVNC. */
  #release(): void {
    for (const stop of this.#stops.splice(0)) stop()
    const rfb = this.#rfb
    this.#rfb = undefined
    this.hands?.detach()
    this.terminal?.detach()
    if (rfb) rfb.disconnect()
    else this.#socket?.close()
    this.#socket = undefined
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(act, ms)
    this.#stops.push(() => clearTimeout(timer))
  }

  async #dial(): Promise<void> {
    const turn = ++this.#turn
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#release()
    const first = this.tab.state === 'connecting' || this.tab.state === 'starting'
    // What was explained stays so until it is over: an attempt changes the line that says when, not the whole tile.
    if (this.#explained()) this.tell({ state: 'lost', retryAt: Date.now() })
    else this.tell({ state: this.#start ? 'starting' : first ? 'connecting' : 'reconnecting', retryAt: undefined })
    try {
      const face = this.#place.kind === 'screen' ? this.#loadPicture() : this.#loadTerminal()
      const asked = { start: this.#start, viewOnly: this.tab.viewOnly, signal: this.#abort.signal }
      const [Rfb, ticket] = await Promise.all([face, askTicket(this.#place, asked)])
      if (turn !== this.#turn) return
      this.tell({ sessionKey: ticket.session_key, mayOnlyView: ticket.mode === 'view' && !this.tab.viewOnly })
      this.#attach(turn, ticket, Rfb)
    } catch (error) {
      if (turn === this.#turn) this.#ended(endOfCall(error))
    }
  }

  async #loadPicture(): Promise<typeof RFB> {
    const [{ default: Rfb }, { Hands }] = await Promise.all([import('@novnc/novnc'), import('./hands')])
    this.hands ??= new Hands(this)
    return Rfb
  }

  async #loadTerminal(): Promise<undefined> {
    const { TerminalFace } = await import('./terminal')
    this.terminal ??= new TerminalFace(this.well)
    return undefined
  }

  #attach(turn: number, ticket: VncSession, Rfb: typeof RFB | undefined): void {
    const socket = new WebSocket(ticket.websocket_url)
    socket.binaryType = 'arraybuffer'
    // Before noVNC listens: it tears its picture down on close and does not pass the code on.
    socket.addEventListener('close', ({ code, reason }) => this.#endedIf(turn, endOfSocket(code, reason)))
    this.#socket = socket
    this.#after(ticket.starts ? STARTING_MS : OPENING_MS, () => this.#endedIf(turn, { error: new ApiError(0, 'console.no_answer'), retriable: true }))
    // At once: a socket that nobody listens to yet loses the server's first word.
    if (Rfb) this.#showPicture(turn, socket, Rfb, ticket.mode === 'view')
    else socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => this.#firstWord(turn, socket, data), { once: true })
  }

  /** A terminal greets with "OK"; where the host allows none, the server shows the guest's picture instead. */
  #firstWord(turn: number, socket: WebSocket, data: ArrayBuffer): void {
    const said = new Uint8Array(data)
    if (turn !== this.#turn) return
    if (said[0] === 0x52) {
      this.terminal?.end()
      this.terminal = undefined
      // The server waits for our answer to this word, so nothing is missed meanwhile.
      void this.#loadPicture().then((Rfb) => {
        if (turn !== this.#turn) return
        this.#showPicture(turn, socket, Rfb, false)
        socket.dispatchEvent(new MessageEvent('message', { data }))
      })
      return
    }
    this.terminal?.attach(socket, said.subarray(2))
    this.#open(turn, false)
  }

  #showPicture(turn: number, socket: WebSocket, Rfb: typeof RFB, viewOnly: boolean): void {
    const rfb = new Rfb(this.well, socket, { shared: true })
    rfb.background = 'transparent'
    rfb.viewOnly = viewOnly
    this.#rfb = rfb
    this.hands?.attach(rfb, socket)
    rfb.addEventListener('connect', () => this.#open(turn, rfb.viewOnly))
    // noVNC gave up by itself; when the socket closed, its own event came first and this one is void.
    rfb.addEventListener('disconnect', () => this.#endedIf(turn, { error: new ApiError(0, 'ui.picture_unreadable'), retriable: true }))
  }

  #open(turn: number, viewOnly: boolean): void {
    if (turn !== this.#turn) return
    this.#picture.drop()
    for (const stop of this.#stops.splice(0)) stop()
    this.#after(STEADY_MS, () => (this.#attempt = 0))
    // Once is enough: a VM that is stopped later must not be started by a mere reconnection.
    this.#start = false
    this.#shown = true
    this.tell({ state: viewOnly ? 'view_only' : 'connected', error: undefined, retryAt: undefined, pictureAt: undefined })
    this.#followMode()
  }

  #endedIf(turn: number, end: End): void {
    if (turn === this.#turn) this.#ended(end)
  }

  #ended({ error, retriable }: End): void {
    if (this.#leaving) {
      this.close()
      return
    }
    this.#turn += 1
    if (this.tab.state === 'connected' || this.tab.state === 'view_only') this.#keepPicture()
    this.#release()
    this.tab = { ...this.tab, held: [], sessionKey: undefined }
    if (!retriable) {
      this.#start = false
      this.tell({ state: 'lost', error, retryAt: undefined })
      if (STOPPED.has(error.code) && Date.now() < this.#backUntil) this.#awaitRunning()
      return
    }
    const wait = pause(this.#attempt, Math.random())
    this.#attempt += 1
    this.#after(wait, () => void this.#dial())
    this.#watchHost()
    this.#watchServer()
    this.tell({ state: this.#explained() ? 'lost' : 'reconnecting', error, retryAt: Date.now() + wait })
  }

  get #hostId(): number | undefined {
    return this.tab.hostId || store.row('vms', this.tab.vmId)?.host_id
  }

  #hostIs(status: Host['status']): boolean {
    return this.#hostId !== undefined && store.row('hosts', this.#hostId)?.status === status
  }

  #explained(): boolean {
    return explained(this.#attempt, this.#shown, this.#hostIs('offline'))
  }

  /** A host that comes back is tried at once. */
  #watchHost(): void {
    if (this.#hostId === undefined || !this.#hostIs('offline')) return
    this.#stops.push(store.watchRow('hosts', this.#hostId, () => {
      if (this.#hostIs('online')) this.reconnect(this.#start)
    }))
  }

  /** A server that comes back is asked at once: the stream knows it first. */
  #watchServer(): void {
    let was = store.link
    this.#stops.push(store.watch(() => {
      const now = store.link
      if (now === was) return
      was = now
      // Not all browsers in the same moment.
      if (now === 'live') this.#after(Math.random() * BACK_SPREAD_MS, () => void this.#dial())
    }))
  }

  #keepPicture(): void {
    const picture = this.hands?.picture()
    if (!picture) return
    this.#picture.keep(picture)
    this.hands?.wholePicture()
    this.tab = { ...this.tab, pictureAt: Date.now() }
  }
}
