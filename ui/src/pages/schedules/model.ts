/** Schedules between what the API has and what the form holds; days and weeks of the calendar. Pure. */
import type { CalendarEntry, Missed, Schedule, ScheduleForm, ScheduleVerb, When } from '@/api/schedule-types'
import type { Weekday } from '@/api/types'
import { hasTargets, howBody, howOf, isTold, NO_FILTER, NO_TARGETS, targetsBody, type How, type Targets } from '@/power/order'

export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
export const WORKDAYS = WEEKDAYS.slice(0, 5)
export const WEEKEND = WEEKDAYS.slice(5)
export const VERBS: readonly ScheduleVerb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset', 'suspend', 'resume', 'backup']
export const SEOUL = 'Asia/Seoul'
/** As the server: further from opening or closing is another day's business. */
export const MOST_MINUTES = 720

export interface WhenDraft {
  kind: 'weekly' | 'opening' | 'cron'
  days: Weekday[]
  times: string[]
  edge: 'open' | 'close'
  side: 'before' | 'after'
  minutes: number | null
  expression: string
  zone: string
  from: string
  until: string
  except: string[]
  holidays: When['holidays']
  closed: When['closed']
}
export interface Draft {
  name: string
  note: string
  how: How
  targets: Targets
  when: WhenDraft
  missed: Missed
  overlap: Schedule['overlap']
  enabled: boolean
}

const NEW_WHEN: WhenDraft = { kind: 'weekly', days: [...WEEKDAYS], times: ['08:30'], edge: 'open', side: 'before', minutes: 30, expression: '30 8 * * 1-5', zone: SEOUL, from: '', until: '', except: [], holidays: 'run', closed: 'run' }
export const newDraft = (verb: ScheduleVerb, targets: Targets = NO_TARGETS): Draft => ({
  name: '', note: '', how: howOf(verb), targets, when: NEW_WHEN, missed: { do: 'once', within_s: 3600 }, overlap: 'skip', enabled: true,
})

function whenDraft({ rule, zone, from, until, except, holidays, closed }: When): WhenDraft {
  const base = { ...NEW_WHEN, zone, from: from ?? '', until: until ?? '', except: [...except], holidays, closed }
  if (rule.kind === 'weekly') return { ...base, kind: 'weekly', days: [...rule.days], times: [...rule.times] }
  if (rule.kind === 'cron') return { ...base, kind: 'cron', expression: rule.expression }
  return { ...base, kind: 'opening', days: [...rule.days], edge: rule.edge, side: rule.offset_min > 0 ? 'after' : 'before', minutes: Math.abs(rule.offset_min) }
}

/** `stop` without force is a clean shutdown. */
export const verbOf = ({ verb, force }: Pick<Schedule, 'verb' | 'force'>): ScheduleVerb => (verb === 'stop' && !force ? 'shutdown' : verb)

export function draftOf(schedule: Schedule): Draft {
  const { vms, filter } = schedule.targets
  const { missing: _, ...wanted } = filter ?? { ...NO_FILTER, missing: null }
  const everything = filter !== null && Object.values(wanted).every((value) => value.length === 0)
  return {
    name: schedule.name,
    note: schedule.note,
    how: { verb: verbOf(schedule), force: schedule.verb === 'shutdown' && schedule.force, timeout_s: schedule.timeout_s, options: schedule.options },
    targets: { by: vms ? 'list' : 'filter', vms: vms ?? [], filter: wanted, everything },
    when: whenDraft(schedule.when),
    missed: schedule.missed,
    overlap: schedule.overlap,
    enabled: schedule.enabled,
  }
}

const inOrder = (days: readonly Weekday[]): Weekday[] => WEEKDAYS.filter((day) => days.includes(day))

export function whenOf(draft: WhenDraft): When {
  const { kind, zone, from, until, except, holidays, closed } = draft
  const offset = draft.side === 'before' ? -(draft.minutes ?? 0) : (draft.minutes ?? 0)
  return {
    rule:
      kind === 'weekly'
        ? { kind, days: inOrder(draft.days), times: [...new Set(draft.times.filter(Boolean))].toSorted() }
        : kind === 'cron'
          ? { kind, expression: draft.expression.trim().replaceAll(/\s+/g, ' ') }
          : { kind, edge: draft.edge, offset_min: offset === 0 ? 0 : offset, days: inOrder(draft.days) },
    // Opening hours are on the pharmacies' own clock.
    zone: kind === 'opening' ? SEOUL : zone,
    from: from || null,
    until: until || null,
    except: [...except].toSorted(),
    holidays,
    closed: kind === 'opening' ? 'run' : closed,
  }
}

export const formOf = (draft: Draft): ScheduleForm => {
  const { force, timeout_s, options } = howBody(draft.how)
  return {
    name: draft.name.trim(),
    note: draft.note.trim(),
    verb: draft.how.verb as ScheduleVerb,
    force,
    timeout_s: timeout_s ?? null,
    options,
    targets: targetsBody(draft.targets),
    when: whenOf(draft.when),
    missed: draft.missed,
    overlap: draft.overlap,
    enabled: draft.enabled,
  }
}

export type Lack = 'name' | 'how' | 'targets' | 'days' | 'times' | 'expression' | 'minutes'
/** What still lacks before it can be saved; before it can be shown the name may lack. */
export function lacks({ name, how, targets, when }: Draft): Lack[] {
  const out: Lack[] = []
  if (name.trim() === '') out.push('name')
  if (!isTold(how)) out.push('how')
  if (!hasTargets(targets)) out.push('targets')
  if (when.kind !== 'cron' && when.days.length === 0) out.push('days')
  if (when.kind === 'weekly' && !when.times.some(Boolean)) out.push('times')
  if (when.kind === 'cron' && when.expression.trim().length < 9) out.push('expression')
  if (when.kind === 'opening' && (when.minutes === null || when.minutes > MOST_MINUTES)) out.push('minutes')
  return out
}

// --- units of a length of time

export type Unit = 'm' | 'h' | 'd'
export const UNIT_S: Readonly<Record<Unit, number>> = { m: 60, h: 3600, d: 86_400 }
/** The largest unit in which the seconds are a whole number. */
export function inUnit(seconds: number): [n: number, unit: Unit] {
  const unit = (['d', 'h'] as const).find((one) => seconds % UNIT_S[one] === 0) ?? 'm'
  return [Math.max(1, Math.round(seconds / UNIT_S[unit])), unit]
}

// --- days ("2026-12-25") without a zone

const DAY = 86_400_000
export const isDay = (text: string | undefined): text is string => !!text && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
export const addDays = (day: string, n: number): string => new Date(Date.parse(day) + n * DAY).toISOString().slice(0, 10)
/** 0 Monday … 6 Sunday. */
export const weekdayOf = (day: string): number => (new Date(day).getUTCDay() + 6) % 7
export const mondayOf = (day: string): string => addDays(day, -weekdayOf(day))
export const weekOf = (monday: string): string[] => Array.from({ length: 7 }, (_, n) => addDays(monday, n))

/** The zone, or Seoul's when this browser does not know it. */
export function knownZone(zone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone && zone
  } catch {
    return SEOUL
  }
}

const dayFormat = new Map<string, Intl.DateTimeFormat>()
/** The local day of a moment. */
export function dayOf(iso: string | number, zone = SEOUL): string {
  let format = dayFormat.get(zone)
  if (!format) dayFormat.set(zone, (format = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })))
  return format.format(new Date(iso))
}

/** Entries of one schedule on one day in one state: around opening hours there may be dozens. */
export interface Cluster {
  key: string
  first: CalendarEntry
  last: CalendarEntry
  n: number
  pharmacies: number | null
}
/** More of one schedule on one day than this stand together. */
const APART = 2

export function clusters(entries: readonly CalendarEntry[]): Map<string, Cluster[]> {
  const days = new Map<string, Cluster[]>()
  const groups = Map.groupBy(entries, (one) => `${dayOf(one.at)} ${one.schedule_id} ${one.state} ${one.trigger === 'slot'}`)
  for (const [key, group] of groups) {
    const day = key.slice(0, 10)
    const some = group.length > APART ? [group] : group.map((one) => [one])
    const list = days.get(day) ?? []
    some.forEach((part, n) => {
      const known = part.filter((one) => one.pharmacies !== null)
      list.push({ key: `${key} ${n}`, first: part[0]!, last: part.at(-1)!, n: part.length, pharmacies: known.length > 0 ? known.reduce((sum, one) => sum + (one.pharmacies ?? 0), 0) : null })
    })
    days.set(day, list)
  }
  for (const list of days.values()) list.sort((a, b) => a.first.at.localeCompare(b.first.at) || a.first.schedule_id - b.first.schedule_id)
  return days
}
