/** Small things that many pages use. */
import { useCallback, useRef } from 'react'

import { ago, lasting, percent } from '@/i18n/format'
import { useNow } from '@/live/store'

/** A share 0..1 as a bar with its figure; amber from 90 %. */
export function Bar({ share, label, title }: { share: number | null | undefined; label: string; title?: string }) {
  if (share === null || share === undefined) return <span className="t3">–</span>
  const hot = share >= 0.9
  return (
    <span className={hot ? 'bar hot' : 'bar'} title={title}>
      <i role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
        <b style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
      </i>
      <span>{percent(share)}</span>
    </span>
  )
}

export function Progress({ done, total, label }: { done: number; total: number; label: string }) {
  return (
    <span className="bar progress">
      <i role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={total} aria-valuenow={done}>
        <b style={{ width: `${total ? (100 * done) / total : 0}%` }} />
      </i>
    </span>
  )
}

export function Ago({ at }: { at: string | null | undefined }) {
  const now = useNow()
  return <time dateTime={at ?? undefined} title={at ? new Date(at).toLocaleString() : undefined}>{ago(at, now)}</time>
}
export function Lasting({ since }: { since: string | null | undefined }) {
  const now = useNow()
  return <time dateTime={since ?? undefined}>{lasting(since, now)}</time>
}

/** The digits of a sum of bytes as a share, or null where either is unknown. */
export const share = (used: number | null | undefined, total: number | null | undefined): number | null =>
  used === null || used === undefined || !total ? null : used / total

/** Is the pointer over this element? For lists that must not re-sort under it. */
export function usePointerOver<T extends HTMLElement>() {
  const over = useRef(false)
  return {
    held: useCallback(() => over.current, []),
    props: {
      onPointerEnter: (event: React.PointerEvent<T>) => {
        if (event.pointerType === 'mouse') over.current = true
      },
      onPointerLeave: () => {
        over.current = false
      },
    },
  }
}

/** An Enter that ends a Hangul composition is not an Enter. */
export const isComposing = (event: React.KeyboardEvent): boolean => event.nativeEvent.isComposing || event.keyCode === 229

/** Keys typed into a field belong to the field. */
export function inField(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null
  return !!target && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT|CANVAS)$/.test(target.tagName))
}
