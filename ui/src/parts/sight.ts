/** Which rows of a long list are in sight. Their heights are known, so nothing is measured and nothing is kept per row. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { flushSync } from 'react-dom'

/** Rows come and go this many at a time, and this many beyond each edge of what is seen are there already. */
const BLOCK = 4
const BEYOND = 16

export interface Sight {
  first: number
  /** One behind the last. */
  end: number
}

/** The last row that begins at or above `y`. */
export function rowAt(y: number, count: number, top: (index: number) => number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (top(middle) <= y) low = middle
    else high = middle - 1
  }
  return Math.max(0, low)
}

/** The rows to draw when `height` pixels below `y` are seen: whole blocks, so that few movements change them. */
export function inSight(y: number, height: number, count: number, top: (index: number) => number): Sight {
  const first = Math.floor((rowAt(y, count, top) - BEYOND) / BLOCK) * BLOCK
  const end = Math.ceil((rowAt(y + height, count, top) + 1 + BEYOND) / BLOCK) * BLOCK
  return { first: Math.max(0, first), end: Math.min(count, end) }
}

const scroller = (): HTMLElement | null => document.getElementById('content')
const same = (a: Sight, b: Sight): boolean => a.first === b.first && a.end === b.end

/** `top(index)` is where a row begins, `top(count)` the height of all: a stable function while heights stay. `show` scrolls until a row is well in sight. */
export function useSight(count: number, top: (index: number) => number) {
  const body = useRef<HTMLDivElement>(null)
  const [sight, setSight] = useState<Sight>({ first: 0, end: 0 })
  const look = useCallback(() => {
    const frame = scroller()
    if (!frame || !body.current) return
    const y = frame.getBoundingClientRect().top - body.current.getBoundingClientRect().top
    const next = inSight(y, frame.clientHeight, count, top)
    setSight((before) => (same(before, next) ? before : next))
  }, [count, top])
  useLayoutEffect(look, [look])
  useEffect(() => {
    const frame = scroller()
    if (!frame) return undefined
    // At once: rows that come a frame late are a white gap.
    const onScroll = () => flushSync(look)
    frame.addEventListener('scroll', onScroll, { passive: true })
    const sized = new ResizeObserver(look)
    sized.observe(frame)
    return () => {
      frame.removeEventListener('scroll', onScroll)
      sized.disconnect()
    }
  }, [look])
  const show = (index: number, above: number, below: number) => {
    const frame = scroller()
    if (!frame || !body.current) return
    const y = frame.getBoundingClientRect().top - body.current.getBoundingClientRect().top
    const over = top(index) - (y + above)
    const under = top(index + 1) - (y + frame.clientHeight - below)
    if (over < 0) frame.scrollTop += over
    else if (under > 0) frame.scrollTop += under
    look()
  }
  // A list that grew shorter has fewer rows than were in sight.
  return { body, first: Math.min(sight.first, count), end: Math.min(sight.end, count), show }
}
