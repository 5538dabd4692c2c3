/**
 * Pinching a console makes it larger here; noVNC would send it to the guest as Ctrl and wheel. Its well grows inside the
 * frame, which scrolls: noVNC fits its picture into any well, so pointers still land where the finger is. Two fingers
 * drag the enlarged picture; unenlarged they stay what they are to noVNC, a wheel.
 */
export const MOST_ZOOM = 6

/** How far to scroll so that what lay at `at` (pixels from the frame's edge) stays there when `before` becomes `after`. */
export const scrollFor = (scroll: number, at: number, before: number, after: number): number => ((scroll + at) * after) / before - at

/** Sizes near the whole picture snap to it. */
export const zoomOf = (wanted: number): number => (wanted < 1.08 ? 1 : Math.min(MOST_ZOOM, wanted))

interface Gesture {
  type: string
  clientX: number
  clientY: number
  magnitudeX: number
  magnitudeY: number
}

export class Zoom {
  #frame: HTMLElement
  #well: HTMLElement
  #changed: (zoomed: boolean) => void
  #zoom = 1
  #from = { zoom: 1, spread: 1, left: 0, top: 0 }
  #moved: HTMLElement | undefined

  constructor(frame: HTMLElement, well: HTMLElement, changed: (zoomed: boolean) => void) {
    this.#frame = frame
    this.#well = well
    this.#changed = changed
    for (const type of ['gesturestart', 'gesturemove', 'gestureend']) {
      // Before noVNC, which listens at its canvas below.
      well.addEventListener(type, (event) => this.#take(event as CustomEvent<Gesture>), true)
    }
  }

  reset(): void {
    this.#set(1)
  }

  #set(zoom: number): void {
    if (zoom === this.#zoom) return
    this.#zoom = zoom
    this.#well.style.width = this.#well.style.height = zoom === 1 ? '' : `${zoom * 100}%`
    this.#changed(zoom !== 1)
  }

  #take(event: CustomEvent<Gesture>): void {
    // Safari has gesture events of its own, without these facts.
    if (!event.detail) return
    const { type } = event.detail
    if (type === 'pinch') this.#pinch(event)
    else if (type === 'twodrag') this.#drag(event)
  }

  #pinch(event: CustomEvent<Gesture>): void {
    event.stopImmediatePropagation()
    const { clientX, clientY, magnitudeX, magnitudeY } = event.detail
    const spread = Math.hypot(magnitudeX, magnitudeY)
    const frame = this.#frame
    if (event.type === 'gesturestart') this.#from = { zoom: this.#zoom, spread: Math.max(1, spread), left: frame.scrollLeft, top: frame.scrollTop }
    if (event.type !== 'gesturemove') return
    const from = this.#from
    const edge = frame.getBoundingClientRect()
    this.#set(zoomOf((from.zoom * spread) / from.spread))
    frame.scrollLeft = scrollFor(from.left, clientX - edge.left, from.zoom, this.#zoom)
    frame.scrollTop = scrollFor(from.top, clientY - edge.top, from.zoom, this.#zoom)
  }

  #drag(event: CustomEvent<Gesture>): void {
    if (event.type === 'gesturestart') {
      this.#moved = this.#scrolled()
      if (this.#moved) this.#from = { ...this.#from, left: this.#moved.scrollLeft, top: this.#moved.scrollTop }
    }
    const moved = this.#moved
    if (!moved) return
    event.stopImmediatePropagation()
    if (event.type !== 'gesturemove') return
    moved.scrollLeft = this.#from.left - event.detail.magnitudeX
    moved.scrollTop = this.#from.top - event.detail.magnitudeY
  }

  /** What two fingers move: the enlarged well, or a picture at its own size that is larger than the well. */
  #scrolled(): HTMLElement | undefined {
    if (this.#zoom !== 1) return this.#frame
    const inner = this.#well.firstElementChild
    const larger = inner && (inner.scrollWidth > inner.clientWidth || inner.scrollHeight > inner.clientHeight)
    return larger ? (inner as HTMLElement) : undefined
  }
}
