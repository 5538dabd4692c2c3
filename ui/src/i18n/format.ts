/** Numbers, sizes, times and ages as words. Times are shown on the pharmacies' clock: Asia/Seoul. */
import { currentLang, t } from '.'

export const ZONE = 'Asia/Seoul'
const DASH = '–'

const locale = () => (currentLang() === 'ko' ? 'ko-KR' : 'en-GB')
const cache = new Map<string, Intl.DateTimeFormat>()
function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options)
  let found = cache.get(key)
  if (!found) cache.set(key, (found = new Intl.DateTimeFormat(locale(), { timeZone: ZONE, hourCycle: 'h23', ...options })))
  return found
}

export const count = (n: number | null | undefined): string => (n === null || n === undefined ? DASH : n.toLocaleString(locale()))
export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? DASH : `${Math.round(share * 100)}%`

/** Bytes in binary steps, one decimal below ten: "64 GB". */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return DASH
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  let value = n
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 && unit > 0 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
export const megabytes = (mb: number | null | undefined): string => (mb === null || mb === undefined ? DASH : bytes(mb * 1048576))

/** A length of time in its two largest units: "3일 4시간", "21일", "8초". */
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || seconds < 0) return DASH
  const s = Math.floor(seconds)
  if (s < 60) return t('span.s', { n: s })
  const m = Math.floor(s / 60)
  if (m < 60) return t('span.m', { n: m })
  const h = Math.floor(m / 60)
  if (h < 24) return m % 60 ? `${t('span.h', { n: h })} ${t('span.m', { n: m % 60 })}` : t('span.h', { n: h })
  const d = Math.floor(h / 24)
  return d < 10 && h % 24 ? `${t('span.d', { n: d })} ${t('span.h', { n: h % 24 })}` : t('span.d', { n: d })
}

function coarse(seconds: number): string {
  if (seconds < 60) return t('span.s', { n: Math.floor(seconds) })
  if (seconds < 3600) return t('span.m', { n: Math.floor(seconds / 60) })
  if (seconds < 86400) return t('span.h', { n: Math.floor(seconds / 3600) })
  return t('span.d', { n: Math.floor(seconds / 86400) })
}
const elapsed = (iso: string, nowMs: number): number => Math.max(0, (nowMs - Date.parse(iso)) / 1000)

/** For what happened or was read: "3분 전". */
export const ago = (iso: string | null | undefined, nowMs: number): string =>
  !iso ? DASH : elapsed(iso, nowMs) < 1 ? t('age.now') : t('age.ago', { span: coarse(elapsed(iso, nowMs)) })
/** In a sentence about what has lasted: "3분 전부터", "for 3 min". */
export const since = (iso: string | null | undefined, nowMs: number): string =>
  iso ? t('age.since', { span: coarse(Math.max(1, elapsed(iso, nowMs))) }) : ''
/** For what lasts: "3분째". */
export const lasting = (iso: string | null | undefined, nowMs: number): string =>
  iso ? t('age.lasting', { span: coarse(elapsed(iso, nowMs)) }) : DASH

export const clockTime = (iso: string): string => formatter({ hour: '2-digit', minute: '2-digit' }).format(new Date(iso))
export const clockSeconds = (iso: string): string =>
  formatter({ hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(iso))
export const day = (iso: string): string => formatter({ year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(iso))
export const dayAndTime = (iso: string): string =>
  formatter({ month: 'short', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(new Date(iso))

/** Time today, weekday within the week, else the date: for time lines. */
export function moment(iso: string, nowMs: number): string {
  const at = new Date(iso)
  const same = formatter({ year: 'numeric', month: 'numeric', day: 'numeric' })
  if (same.format(at) === same.format(new Date(nowMs))) return clockTime(iso)
  if (nowMs - at.getTime() < 6 * 86400_000) return formatter({ weekday: 'long' }).format(at)
  return formatter({ month: 'numeric', day: 'numeric' }).format(at)
}
/** The same on another clock. */
export const dayAndTimeIn = (iso: string, zone: string): string =>
  formatter({ month: 'short', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', timeZone: zone }).format(new Date(iso))
/** A day without a zone ("2026-12-25") with its weekday. */
export const dayWords = (date: string): string => formatter({ month: 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC' }).format(new Date(date))
