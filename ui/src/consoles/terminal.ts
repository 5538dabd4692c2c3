/**
 * A terminal in a console's well: xterm.js over termproxy's messages. Up go `0:LEN:DATA` (LEN in bytes), `1:COLS:ROWS:`
 * and `2` (a ping); down come the terminal's bytes. Loaded on demand.
 */
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { Unicode11Addon } from '@xterm/addon-unicode11'
import { Terminal, type ITheme } from '@xterm/xterm'

import '@xterm/xterm/css/xterm.css'

import { t } from '@/i18n'

import { inputMessage, PING, sizeMessage } from './termproxy'

const PING_MS = 30_000
/** What a lost terminal shows is kept no longer than a lost picture. */
const KEPT_MS = 5 * 60_000
const FONT_STORAGE = 'pharmq.consoles.font'
const SMALLEST = 9
const LARGEST = 28

/** A terminal is a dark well in both themes, as the guests' own are; colours of the program in it are its own. */
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const theme = (): ITheme => ({ background: colour('--well'), foreground: '#e9ebee', cursor: '#e9ebee', selectionBackground: '#4b47c4' })

export class TerminalFace {
  readonly #xterm: Terminal
  readonly #fit = new FitAddon()
  readonly #search = new SearchAddon()
  #socket: WebSocket | undefined
  #ping: ReturnType<typeof setInterval> | undefined
  #forget: ReturnType<typeof setTimeout> | undefined
  #watch: ResizeObserver

  constructor(well: HTMLElement) {
    const fontSize = Number(localStorage.getItem(FONT_STORAGE)) || 14
    this.#xterm = new Terminal({ allowProposedApi: true, cursorBlink: true, scrollback: 5000, fontSize, fontFamily: colour('--mono'), theme: theme(), rightClickSelectsWord: true })
    this.#xterm.loadAddon(this.#fit)
    this.#xterm.loadAddon(this.#search)
    this.#xterm.loadAddon(new Unicode11Addon())
    this.#xterm.unicode.activeVersion = '11'
    this.#xterm.open(well)
    // xterm's own name for it is English.
    this.#xterm.textarea?.setAttribute('aria-label', t('console.terminal_input'))
    this.#xterm.attachCustomKeyEventHandler((event) => this.#ownKey(event))
    this.#xterm.onData((text) => this.#send(inputMessage(text)))
    this.#xterm.onBinary((text) => this.#send(inputMessage(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))))
    this.#xterm.onResize(({ cols, rows }) => this.#send(sizeMessage(cols, rows)))
    this.#watch = new ResizeObserver(() => this.#fit.fit())
    this.#watch.observe(well)
  }

  attach(socket: WebSocket, first: Uint8Array): void {
    clearTimeout(this.#forget)
    this.#xterm.reset()
    this.#socket = socket
    this.#xterm.options.disableStdin = false
    socket.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => this.#xterm.write(new Uint8Array(data)))
    if (first.length > 0) this.#xterm.write(first)
    this.#fit.fit()
    this.#send(sizeMessage(this.#xterm.cols, this.#xterm.rows))
    this.#ping = setInterval(() => this.#send(PING), PING_MS)
  }

  detach(): void {
    if (!this.#socket) return
    this.#socket = undefined
    clearInterval(this.#ping)
    this.#xterm.options.disableStdin = true
    this.#forget = setTimeout(() => this.#xterm.reset(), KEPT_MS)
  }

  end(): void {
    this.detach()
    clearTimeout(this.#forget)
    this.#watch.disconnect()
    this.#xterm.dispose()
  }

  focus(): void {
    this.#xterm.focus()
  }

  /** What is marked; without a mark, what is seen and above it. */
  copied(): string {
    if (this.#xterm.hasSelection()) return this.#xterm.getSelection()
    this.#xterm.selectAll()
    const all = this.#xterm.getSelection().trimEnd()
    this.#xterm.clearSelection()
    return all
  }

  paste(text: string): void {
    this.#xterm.paste(text)
    this.focus()
  }

  /** Keys of a phone's bar, as the bytes a terminal sends for them. */
  send(text: string): void {
    this.#xterm.input(text)
  }

  /** Marks the next place where the text stands; false when it stands nowhere. */
  find(text: string, backwards: boolean): boolean {
    return backwards ? this.#search.findPrevious(text) : this.#search.findNext(text)
  }

  endFind(): void {
    this.#search.clearDecorations()
    this.#xterm.clearSelection()
  }

  resizeFont(by: number): void {
    const fontSize = Math.min(LARGEST, Math.max(SMALLEST, (this.#xterm.options.fontSize ?? 14) + by))
    this.#xterm.options.fontSize = fontSize
    localStorage.setItem(FONT_STORAGE, String(fontSize))
    this.#fit.fit()
  }

  #send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message)
  }

  /** Copy as everywhere in terminals: Ctrl-C belongs to the program unless something is marked. */
  #ownKey(event: KeyboardEvent): boolean {
    if (event.type !== 'keydown' || !event.ctrlKey || event.altKey) return true
    // Ctrl-K is the palette's, in every page.
    if (event.code === 'KeyK' && !event.shiftKey) return false
    if (event.code === 'KeyC' && (event.shiftKey || this.#xterm.hasSelection())) {
      event.preventDefault()
      void navigator.clipboard?.writeText(this.#xterm.getSelection())
      this.#xterm.clearSelection()
      return false
    }
    // The browser's own paste event reaches xterm by itself.
    return event.code !== 'KeyV'
  }
}
