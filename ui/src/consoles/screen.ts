/**
 * One console: its element, its noVNC, its state. It belongs to no component; pages only borrow the element, so that
 * navigation, tiling and another language never cut a session.
 */
import type RFB from '@novnc/novnc'

import { api, ApiError } from '@/api/client'
import type { Vm, VncSession } from '@/api/types'
import { store } from '@/live/store'

import { endOfCall, endOfSocket, pause, type End } from './ends'
import { MODIFIERS, type Press } from './keys'

export type ConsoleState = 'connecting' | 'connected' | 'view_only' | 'reconnecting' | 'lost'

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
  fit: boolean
}

/** Longest wait for a picture after the socket opened; the server itself gives up before. */
const OPENING_MS = 40_000
/** The last picture of a lost console lives in memory only, and no longer than this. */
const PICTURE_MS = 5 * 60_000
/** A connection that held this long starts the back-off anew. */
const STEADY_MS = 10_000
/** How long a VM that was restarted here is waited for. */
const BACK_MS = 180_000
/** Attempts that are told as "reconnecting" before the loss is explained in full. */
const QUIET_ATTEMPTS = 2

const STOPPED: ReadonlySet<string> = new Set(['console.vm_stopped', 'console.vm_stopped_during'])

export class Screen {
  readonly frame = document.createElement('div')
  tab: ConsoleTab
  #well = document.createElement('div')
  #picture: HTMLCanvasElement | undefined
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
    this.tab = { vmId, state: 'connecting', viewOnly: false, fit: true }
    this.frame.className = 'console-frame'
    this.#well.className = 'console-well'
    this.frame.append(this.#well)
    this.#well.addEventListener('focusout', () => this.#letGo())
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
    this.#tell({ viewOnly, ...(this.tab.state === 'connected' || this.tab.state === 'view_only' ? { state: viewOnly ? 'view_only' : 'connected' } : {}) })
  }

  setFit(fit: boolean): void {
    if (this.#rfb) this.#rfb.scaleViewport = fit
    this.#tell({ fit })
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true })
  }

  /** Presses the keys in order and lets them go in the opposite one. */
  press(keys: readonly Press[]): void {
    for (const [keysym, code] of keys) this.#rfb?.sendKey(keysym, code, true)
    for (const [keysym, code] of keys.toReversed()) this.#rfb?.sendKey(keysym, code, false)
    this.focus()
  }

  /** One key down and up; the focus stays where it is. */
  tap([keysym, code]: Press): void {
    this.#rfb?.sendKey(keysym, code)
  }

  /** Types text as keys; what a keyboard layout of the guest lacks is lost there, as on any VNC. */
  type(text: string): void {
    for (const letter of text) {
      const point = letter.codePointAt(0) ?? 0
      this.#rfb?.sendKey(letter === '\n' ? 0xff0d : point < 0x100 ? point : 0x01000000 | point, null)
    }
  }

  /** The keyboard went elsewhere with keys held (Ctrl-K): their release will never reach the guest, so it is told now. */
  #letGo(): void {
    const rfb = this.#rfb
    if (!rfb || this.tab.viewOnly) return
    for (const [keysym, code] of MODIFIERS) rfb.sendKey(keysym, code, false)
    // noVNC forgets what it holds for pressed only when its keyboard is taken away and given back.
    rfb.viewOnly = true
    rfb.viewOnly = false
  }

  close(): void {
    this.#turn += 1
    this.#abort.abort()
    this.#release()
    this.#dropPicture()
    this.frame.remove()
  }

  #tell(change: Partial<ConsoleTab>): void {
    this.tab = { ...this.tab, ...change }
    this.#told()
  }

  /** Ends what the last attempt left: timers, watchers, socket, noVNC. */
  #release(): void {
    for (const stop of this.#stops.splice(0)) stop()
    const rfb = this.#rfb
    this.#rfb = undefined
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
    this.#tell({ state: first ? 'connecting' : this.#attempt > QUIET_ATTEMPTS ? 'lost' : 'reconnecting', retryAt: undefined })
    try {
      const [{ default: Rfb }, ticket] = await Promise.all([import('@novnc/novnc'), this.#ticket(this.#abort.signal)])
      if (turn !== this.#turn) return
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
    const rfb = new Rfb(this.#well, socket, { shared: true })
    rfb.background = 'transparent'
    rfb.scaleViewport = this.tab.fit
    rfb.viewOnly = this.tab.viewOnly
    rfb.addEventListener('connect', () => {
      if (turn !== this.#turn) return
      this.#dropPicture()
      for (const stop of this.#stops.splice(0)) stop()
      this.#after(STEADY_MS, () => (this.#attempt = 0))
      this.#tell({ state: this.tab.viewOnly ? 'view_only' : 'connected', error: undefined, retryAt: undefined })
    })
    // noVNC gave up by itself; when the socket closed, its own event came first and this one is void.
    rfb.addEventListener('disconnect', () => ended({ error: new ApiError(0, 'ui.picture_unreadable'), retriable: true }))
    this.#rfb = rfb
    this.#after(OPENING_MS, () => ended({ error: new ApiError(0, 'console.no_answer'), retriable: true }))
  }

  #ended({ error, retriable }: End): void {
    this.#turn += 1
    if (this.tab.state === 'connected' || this.tab.state === 'view_only') this.#keepPicture()
    this.#release()
    if (!retriable) {
      this.#tell({ state: 'lost', error, retryAt: undefined })
      if (STOPPED.has(error.code) && Date.now() < this.#backUntil) this.#awaitRunning()
      return
    }
    const wait = pause(this.#attempt, Math.random())
    this.#attempt += 1
    this.#after(wait, () => void this.#dial())
    this.#watchHost()
    this.#tell({ state: this.#attempt > QUIET_ATTEMPTS ? 'lost' : 'reconnecting', error, retryAt: Date.now() + wait })
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
    this.#dropPicture()
    const shown = this.#well.querySelector('canvas')
    if (!this.#rfb || !shown?.width || !shown.height) return
    const image = this.#rfb.getImageData()
    const picture = document.createElement('canvas')
    picture.className = 'console-last'
    picture.width = image.width
    picture.height = image.height
    picture.getContext('2d')?.putImageData(image, 0, 0)
    this.frame.append(picture)
    this.#picture = picture
    setTimeout(() => {
      if (this.#picture !== picture) return
      this.#dropPicture()
      this.#tell({})
    }, PICTURE_MS)
    this.tab = { ...this.tab, pictureAt: Date.now() }
  }

  #dropPicture(): void {
    const picture = this.#picture
    if (!picture) return
    this.#picture = undefined
    // A canvas gives its memory back with its size, not when it leaves the page.
    picture.width = 0
    picture.remove()
    this.tab = { ...this.tab, pictureAt: undefined }
  }
}
