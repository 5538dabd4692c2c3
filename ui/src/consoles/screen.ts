/**
 * One console: its element, its noVNC, its state. It belongs to no component; pages only borrow the element, so that
 * navigation, tiling and another language never cut a session.
 */
import type RFB from '@novnc/novnc'

import { api, ApiError } from '@/api/client'
import type { Vm, VncSession } from '@/api/types'
import { store } from '@/live/store'

import { endOfCall, endOfSocket, pause, type End } from './ends'
import type { Desk, Hands } from './hands'
import { LastPicture } from './last-picture'

export type ConsoleState = 'connecting' | 'connected' | 'view_only' | 'reconnecting' | 'lost'
/** The picture scaled into its place, pixel by pixel, or the guest asked to take the place's size. */
export type Size = 'fit' | 'actual' | 'guest'

/** What pages show of a console; a new object with each change. */
export interface ConsoleTab {
  /** The VM's id: one console per VM and browser tab. */
  vmId: number
  state: ConsoleState
  /** What ended it, or what the last attempt met. */
  error?: ApiError
  /** When the next attempt starts by itself (ms), while one is due. */
  retryAt?: number
  /** When the kept last picture was taken (ms), while it is shown. */
  pictureAt?: number
  viewOnly: boolean
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
/** A connection that held this long starts the back-off anew. */
const STEADY_MS = 10_000
/** How long a VM that was restarted here is waited for. */
const BACK_MS = 180_000
/** Attempts that are told as "reconnecting" before the loss is explained in full. */
const QUIET_ATTEMPTS = 2

const STOPPED: ReadonlySet<string> = new Set(['console.vm_stopped', 'console.vm_stopped_during'])

export class Screen implements Desk {
  readonly frame = document.createElement('div')
  readonly well = document.createElement('div')
  tab: ConsoleTab
  /** There once the code for it is: with the first connection. */
  hands: Hands | undefined
  #picture = new LastPicture(this.frame, () => this.tell({ pictureAt: undefined }))
  #rfb: RFB | undefined
  #socket: WebSocket | undefined
  #sessionId: string | undefined
  /** Grows with each attempt; what belongs to an older one is void. */
  #turn = 0
  #attempt = 0
  /** Until when (ms) a stop of the VM is one that was asked for, with a return to follow. */
  #backUntil = 0
  #abort = new AbortController()
  #stops: (() => void)[] = []
  #told: () => void

  constructor(vmId: number, told: () => void) {
    this.#told = told
    this.tab = { vmId, state: 'connecting', viewOnly: false, size: 'fit', zoomed: false, held: [] }
    this.frame.className = 'console-frame'
    this.well.className = 'console-well'
    this.frame.append(this.well)
    void this.#dial()
  }

  /** By hand, or because the cause seems gone: at once, with a fresh session. */
  reconnect(): void {
    this.#attempt = 0
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

  setViewOnly(viewOnly: boolean): void {
    if (this.#rfb) this.#rfb.viewOnly = viewOnly
    this.tell({ viewOnly, ...(this.tab.state === 'connected' || this.tab.state === 'view_only' ? { state: viewOnly ? 'view_only' : 'connected' } : {}) })
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true })
  }

  get rfb(): RFB | undefined {
    return this.#rfb
  }

  get container(): boolean {
    return store.row('vms', this.tab.vmId)?.guest_type === 'lxc'
  }

  close(): void {
    this.#turn += 1
    this.#abort.abort()
    this.#release()
    this.hands?.end()
    this.#picture.drop()
    this.frame.remove()
  }

  tell(change: Partial<ConsoleTab>): void {
    this.tab = { ...this.tab, ...change }
    this.#told()
  }

  /** Ends what the last attempt left: timers, watchers, socket, noVNC. */
  #release(): void {
    for (const stop of this.#stops.splice(0)) stop()
    const rfb = this.#rfb
    this.#rfb = undefined
    this.hands?.detach()
    if (rfb) rfb.disconnect()
    else this.#socket?.close()
    this.#socket = undefined
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(act, ms)
    this.#stops.push(() => clearTimeout(timer))
  }

  async #ticket(signal: AbortSignal): Promise<VncSession> {
    const { vmId } = this.tab
    if (this.#sessionId) {
      try {
        return await api.post<VncSession>(`/api/vnc/refresh/${this.#sessionId}`, {}, { signal })
      } catch (error) {
        // The server forgets sessions after a while; the VM itself is still known by its id.
        if (!(error instanceof ApiError) || error.code !== 'console.session_unknown') throw error
        this.#sessionId = undefined
      }
    }
    const vm = store.row('vms', vmId) ?? (await api.get<Vm>(`/api/vms/${vmId}`, { signal }))
    if (vm.missing_since !== null) throw new ApiError(409, 'console.vm_gone')
    return await api.post<VncSession>('/api/vnc/connect', { pharmacy_id: vm.pharmacy_id, vmid: vm.vmid, host_id: vm.host_id }, { signal })
  }

  async #dial(): Promise<void> {
    const turn = ++this.#turn
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#release()
    const first = this.tab.state === 'connecting'
    this.tell({ state: first ? 'connecting' : this.#attempt > QUIET_ATTEMPTS ? 'lost' : 'reconnecting', retryAt: undefined })
    try {
      const [{ default: Rfb }, hands, ticket] = await Promise.all([import('@novnc/novnc'), import('./hands'), this.#ticket(this.#abort.signal)])
      if (turn !== this.#turn) return
      this.hands ??= new hands.Hands(this)
      this.#sessionId = ticket.session_id
      this.#attach(turn, Rfb, ticket.websocket_url)
    } catch (error) {
      if (turn === this.#turn) this.#ended(endOfCall(error))
    }
  }

  #attach(turn: number, Rfb: typeof RFB, url: string): void {
    const socket = new WebSocket(url)
    const ended = (end: End) => {
      if (turn === this.#turn) this.#ended(end)
    }
    // Before noVNC listens: it tears its picture down on close and does not pass the code on.
    socket.addEventListener('close', ({ code, reason }) => ended(endOfSocket(code, reason)))
    this.#socket = socket
    const rfb = new Rfb(this.well, socket, { shared: true })
    rfb.background = 'transparent'
    rfb.viewOnly = this.tab.viewOnly
    this.#rfb = rfb
    this.hands?.attach(rfb, socket)
    rfb.addEventListener('connect', () => {
      if (turn !== this.#turn) return
      this.#picture.drop()
      for (const stop of this.#stops.splice(0)) stop()
      this.#after(STEADY_MS, () => (this.#attempt = 0))
      this.tell({ state: this.tab.viewOnly ? 'view_only' : 'connected', error: undefined, retryAt: undefined, pictureAt: undefined })
    })
    // noVNC gave up by itself; when the socket closed, its own event came first and this one is void.
    rfb.addEventListener('disconnect', () => ended({ error: new ApiError(0, 'ui.picture_unreadable'), retriable: true }))
    this.#after(OPENING_MS, () => ended({ error: new ApiError(0, 'console.no_answer'), retriable: true }))
  }

  #ended({ error, retriable }: End): void {
    this.#turn += 1
    if (this.tab.state === 'connected' || this.tab.state === 'view_only') this.#keepPicture()
    this.#release()
    this.tab = { ...this.tab, held: [] }
    if (!retriable) {
      this.tell({ state: 'lost', error, retryAt: undefined })
      if (STOPPED.has(error.code) && Date.now() < this.#backUntil) this.#awaitRunning()
      return
    }
    const wait = pause(this.#attempt, Math.random())
    this.#attempt += 1
    this.#after(wait, () => void this.#dial())
    this.#watchHost()
    this.tell({ state: this.#attempt > QUIET_ATTEMPTS ? 'lost' : 'reconnecting', error, retryAt: Date.now() + wait })
  }

  /** A host that comes back is tried at once. */
  #watchHost(): void {
    const hostId = store.row('vms', this.tab.vmId)?.host_id
    if (hostId === undefined || store.row('hosts', hostId)?.status !== 'offline') return
    this.#stops.push(store.watchRow('hosts', hostId, () => {
      if (store.row('hosts', hostId)?.status === 'online') this.reconnect()
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
