/**
 * What a person does with a console: keys, text, touch, size, quality, clipboard; and how it feels. Loaded with noVNC.
 * Outlives the connections of its console (`screen.ts`).
 */
import type RFB from '@novnc/novnc'

import { ApiError } from '@/api/client'
import { notifyFailed } from '@/parts/notify'

import { SHIFT, MODIFIERS, type Press } from './keys'
import { correctKeys } from './local-keys'
import { Meter, ONE_PIXEL } from './meter'
import { LEVELS, onPrefs, PACE_MS, prefs } from './prefs'
import type { ConsoleTab, Size } from './screen'
import { planTyping, type Way } from './typing'
import { Typist, type Typed } from './typist'
import { Zoom } from './zoom'

const BEAT_MS = 500
/** How long a guest may take to follow a wish for another size. */
const RESIZE_MS = 2_500
/** Guests round their sizes to what their graphics can. */
const RESIZE_SLACK = 16

export interface Desk {
  readonly tab: ConsoleTab
  readonly frame: HTMLElement
  readonly well: HTMLElement
  readonly rfb: RFB | undefined
  /** Containers are drawn by vncterm, which takes Latin letters only. */
  readonly container: boolean
  tell(change: Partial<ConsoleTab>): void
}

export class Hands {
  readonly #desk: Desk
  readonly #typist = new Typist((keys) => this.#send(keys))
  readonly #zoom: Zoom
  #held = new Map<string, Press>()
  #meter: Meter | undefined
  #beat: ReturnType<typeof setInterval> | undefined
  #resizing: ReturnType<typeof setTimeout> | undefined
  #forget: () => void

  constructor(desk: Desk) {
    this.#desk = desk
    this.#zoom = new Zoom(desk.frame, desk.well, (zoomed) => desk.tell({ zoomed }))
    correctKeys(desk.well, (press) => this.#send([press]))
    for (const type of ['keydown', 'pointerdown', 'wheel']) desk.well.addEventListener(type, () => this.#meter?.input(performance.now()), { capture: true, passive: true })
    desk.well.addEventListener('focusout', () => this.letGo())
    this.#forget = onPrefs(() => this.#levels())
  }

  // -- the connection, as `screen.ts` has it ---------------------------------------------------------------------

  attach(rfb: RFB, socket: WebSocket): void {
    this.#levels()
    this.#size(this.#desk.tab.size)
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => this.#meter?.took(performance.now(), data.byteLength))
    rfb.addEventListener('clipboard', (event) => {
      const { text } = (event as CustomEvent<{ text: string }>).detail
      if (text) this.#desk.tell({ clipboard: { text, at: Date.now() } })
    })
    rfb.addEventListener('connect', () => {
      this.#meter = new Meter(performance.now())
      this.#beat = setInterval(() => {
        if (this.#meter?.ask(performance.now()) && socket.readyState === WebSocket.OPEN) socket.send(ONE_PIXEL)
      }, BEAT_MS)
    })
  }

  detach(): void {
    clearInterval(this.#beat)
    clearTimeout(this.#resizing)
    this.#meter = undefined
    this.#held.clear()
  }

  end(): void {
    this.detach()
    this.#typist.stop()
    this.#forget()
  }

  // -- keys ------------------------------------------------------------------------------------------------------

  /** Presses the keys in order and lets them go in the opposite one; the console keeps the keyboard. */
  press(keys: readonly Press[]): void {
    this.#send(keys)
    this.#desk.rfb?.focus({ preventScroll: true })
  }

  /** One key together with the modifiers that are held, which then go up; the focus stays where it is. */
  tap(press: Press): void {
    this.#send([press])
    this.#release()
  }

  /** A modifier of the key bar goes down and stays, or goes up again. */
  hold(press: Press): void {
    const code = press[1] ?? ''
    const rfb = this.#desk.rfb
    if (!rfb) return
    const down = !this.#held.delete(code)
    if (down) this.#held.set(code, press)
    rfb.sendKey(press[0], press[1], down)
    this.#meter?.input(performance.now())
    this.#desk.tell({ held: [...this.#held.keys()] })
  }

  #release(): void {
    if (this.#held.size === 0) return
    for (const [keysym, code] of this.#held.values()) this.#desk.rfb?.sendKey(keysym, code, false)
    this.#held.clear()
    this.#desk.tell({ held: [] })
  }

  #send(keys: readonly Press[]): boolean {
    const { rfb, tab } = this.#desk
    if (!rfb || tab.state !== 'connected') return false
    this.#meter?.input(performance.now())
    for (const [keysym, code] of keys) rfb.sendKey(keysym, code, true)
    for (const [keysym, code] of keys.toReversed()) rfb.sendKey(keysym, code, false)
    return true
  }

  /** The keyboard went elsewhere with keys held (Ctrl-K): their release will never reach the guest, so it is told now. */
  letGo(): void {
    const { rfb, tab } = this.#desk
    if (!rfb || tab.state !== 'connected') return
    for (const [keysym, code] of MODIFIERS) if (!this.#held.has(code ?? '')) rfb.sendKey(keysym, code, false)
    // noVNC forgets what it holds for pressed only when its keyboard is taken away and given back.
    rfb.viewOnly = true
    rfb.viewOnly = false
  }

  // -- text ------------------------------------------------------------------------------------------------------

  get way(): Way {
    return this.#desk.container ? 'plain' : prefs().way
  }

  /** Types text at the chosen pace. What cannot be typed is left out: ask `planTyping` before. */
  async typeText(text: string): Promise<Typed> {
    const { pace, hangulKey } = prefs()
    const plan = planTyping(text, this.way, hangulKey)
    const total = plan.strokes.length
    this.#desk.tell({ typing: { done: 0, total } })
    const typed = await this.#typist.type(plan, PACE_MS[pace], (done) => this.#desk.tell({ typing: { done, total } }))
    this.#desk.tell({ typing: undefined })
    return typed
  }

  /** What a phone's keyboard wrote, as it comes. */
  typeLetters(text: string): void {
    const plan = planTyping(text, this.way, prefs().hangulKey)
    if (plan.lost.length > 0) notifyFailed(new ApiError(0, 'ui.untypable', { letters: plan.lost.join(' ') }))
    // A held Shift would turn the letters' own around.
    const shift = this.#held.get(SHIFT[1]!)
    if (shift && plan.strokes.length > 0) this.hold(shift)
    void this.#typist.type(plan, plan.strokes.length > 1 ? PACE_MS.quick : 0).then(() => this.#release())
  }

  stopTyping(): void {
    this.#typist.stop()
  }

  /** Into the guest's own clipboard, where its agent (vdagent) takes it. */
  giveClipboard(text: string): void {
    this.#desk.rfb?.clipboardPasteFrom(text)
  }

  // -- picture ---------------------------------------------------------------------------------------------------

  /** The picture as it stands, to be copied at once: it goes with the connection. */
  picture(): HTMLCanvasElement | undefined {
    const shown = this.#desk.well.querySelector('canvas')
    return this.#desk.rfb && shown?.width && shown.height ? shown : undefined
  }

  setSize(size: Size): void {
    this.#zoom.reset()
    this.#desk.tell({ size })
    this.#size(size)
    clearTimeout(this.#resizing)
    if (size === 'guest') this.#resizing = setTimeout(() => this.#checkSize(), RESIZE_MS)
  }

  wholePicture(): void {
    this.#zoom.reset()
  }

  #size(size: Size): void {
    const { rfb } = this.#desk
    if (!rfb) return
    rfb.scaleViewport = size !== 'actual'
    rfb.resizeSession = size === 'guest'
  }

  /** noVNC does not tell whether a guest can change its size, only the picture does. */
  #checkSize(): void {
    const { well, rfb, tab } = this.#desk
    const shown = well.querySelector('canvas')
    if (!rfb || !shown || tab.size !== 'guest') return
    if (Math.abs(shown.width - well.clientWidth) <= RESIZE_SLACK && Math.abs(shown.height - well.clientHeight) <= RESIZE_SLACK) return
    this.setSize('fit')
    notifyFailed(new ApiError(0, 'ui.resize_refused', { width: shown.width, height: shown.height }))
  }

  #levels(): void {
    const { rfb } = this.#desk
    if (!rfb) return
    const { quality, compression } = LEVELS[prefs().quality]
    rfb.qualityLevel = quality
    rfb.compressionLevel = compression
  }

  /** Milliseconds until the host answers, and bits a second; `undefined` without a connection. */
  feel(): { response: number | undefined; rate: number } | undefined {
    return this.#meter && { response: this.#meter.response(), rate: this.#meter.rate(performance.now()) }
  }
}
