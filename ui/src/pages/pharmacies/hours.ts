/** Opening hours as people type them: "09:00-13:00, 14:00-19:00"; an empty day is closed. Pure. */
import type { Hours, Weekday } from '@/api/types'

export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

const SPAN = /^(\d{1,2})(?::?(\d{2}))?\s*[-–~]\s*(\d{1,2})(?::?(\d{2}))?$/

const clock = (hour: string, minute: string | undefined): string | undefined => {
  const h = Number(hour)
  const m = Number(minute ?? '0')
  return h <= 24 && m < 60 && h * 60 + m <= 1440 ? `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}` : undefined
}

/** Spans of one day, or undefined when the text is none. "9-19" and "0900~1900" are understood. */
export function parseDay(text: string): [string, string][] | undefined {
  const parts = text.split(/[,/]/).map((part) => part.trim()).filter(Boolean)
  const spans: [string, string][] = []
  for (const part of parts) {
    const match = SPAN.exec(part)
    if (!match) return undefined
    const from = clock(match[1]!, match[2])
    const to = clock(match[3]!, match[4])
    if (!from || !to || from >= to) return undefined
    spans.push([from, to])
  }
  return spans.toSorted(([a], [b]) => a.localeCompare(b))
}

export const writeDay = (spans: readonly (readonly [string, string])[] | undefined): string => (spans ?? []).map(([from, to]) => `${from}-${to}`).join(', ')

export type HoursText = Record<Weekday, string>
export const writeHours = (hours: Hours): HoursText => Object.fromEntries(WEEKDAYS.map((day) => [day, writeDay(hours[day])])) as HoursText

/** The hours, and the days whose text is none. */
export function parseHours(text: HoursText): { hours: Hours; wrong: Weekday[] } {
  const hours: Hours = {}
  const wrong: Weekday[] = []
  for (const day of WEEKDAYS) {
    const spans = parseDay(text[day])
    if (spans) hours[day] = spans
    else wrong.push(day)
  }
  return { hours, wrong }
}

/** Dates of own closing days: separated by blanks, commas or lines. */
export function parseDates(text: string): { dates: string[]; wrong: string[] } {
  const words = text.split(/[\s,]+/).filter(Boolean)
  const good = (word: string) => /^\d{4}-\d{2}-\d{2}$/.test(word) && !Number.isNaN(Date.parse(word))
  return { dates: [...new Set(words.filter(good))].toSorted(), wrong: words.filter((word) => !good(word)) }
}
