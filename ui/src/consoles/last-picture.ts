/** The last picture of a lost console: kept in this page's memory only, and for five minutes at most. */
const KEPT_MS = 5 * 60_000

export class LastPicture {
  #frame: HTMLElement
  #canvas: HTMLCanvasElement | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #gone: () => void

  constructor(frame: HTMLElement, gone: () => void) {
    this.#frame = frame
    this.#gone = gone
  }

  keep(picture: HTMLCanvasElement): void {
    this.drop()
    const canvas = document.createElement('canvas')
    canvas.className = 'console-last'
    canvas.width = picture.width
    canvas.height = picture.height
    canvas.getContext('2d')?.drawImage(picture, 0, 0)
    this.#frame.append(canvas)
    this.#canvas = canvas
    this.#timer = setTimeout(() => {
      this.drop()
      this.#gone()
    }, KEPT_MS)
  }

  drop(): void {
    clearTimeout(this.#timer)
    if (!this.#canvas) return
    // A canvas gives its memory back with its size, not when it leaves the page.
    this.#canvas.width = 0
    this.#canvas.remove()
    this.#canvas = undefined
  }
}
