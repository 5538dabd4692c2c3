/** Schedules in words. */
import type { Schedule, ScheduleRun, When } from '@/api/schedule-types'
import type { Weekday } from '@/api/types'
import { t } from '@/i18n'
import { clockTime, dayAndTime, span } from '@/i18n/format'
import type { SignName } from '@/parts/Icon'

import { addDays, dayOf, SEOUL, WEEKDAYS, WEEKEND, WORKDAYS } from './model'

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((one) => b.includes(one))
function dayWords(days: readonly Weekday[]): string {
  if (same(days, WEEKDAYS)) return t('schedules.every_day')
  if (same(days, WORKDAYS)) return t('schedules.workdays')
  if (same(days, WEEKEND)) return t('schedules.weekend')
  return WEEKDAYS.filter((day) => days.includes(day)).map((day) => t(`weekday.${day}`)).join('·')
}

/** "평일 08:30, 20:00", "매일 영업 시작 30분 전" */
export function ruleWords({ rule, zone }: When): string {
  const where = zone === SEOUL ? '' : ` (${zone})`
  if (rule.kind === 'cron') return `cron ${rule.expression}${where}`
  if (rule.kind === 'weekly') return `${dayWords(rule.days)} ${rule.times.join(', ')}${where}`
  const edge = rule.edge
  const at = rule.offset_min === 0 ? t(`schedules.at_${edge}`) : t(rule.offset_min < 0 ? `schedules.before_${edge}` : `schedules.after_${edge}`, { span: span(Math.abs(rule.offset_min) * 60) })
  return `${dayWords(rule.days)} ${at}`
}

/** What narrows the rule: holidays, closing days, a range, exceptions. */
export function limitWords({ holidays, closed, from, until, except }: When): string[] {
  return [
    holidays === 'run' ? '' : t(`schedules.holidays.${holidays}`),
    closed === 'skip' ? t('schedules.closed_skip') : '',
    from && until ? t('schedules.range', { from, until }) : from ? t('schedules.range_from', { from }) : until ? t('schedules.range_until', { until }) : '',
    except.length > 0 ? t('schedules.excepted', { n: except.length }) : '',
  ].filter(Boolean)
}

/** A moment to come: "오늘 19:30", "내일 08:30", "12월 3일 (목) 08:30". */
export function coming(iso: string, nowMs: number): string {
  const [today, day] = [dayOf(nowMs), dayOf(iso)]
  if (day === today) return t('schedules.today', { at: clockTime(iso) })
  if (day === addDays(today, 1)) return t('schedules.tomorrow', { at: clockTime(iso) })
  return dayAndTime(iso)
}

export const RUN_SIGN: Readonly<Record<ScheduleRun['state'] | 'planned', [SignName, string]>> = {
  planned: ['suspended', 'stop'],
  running: ['turning', 'stop'],
  queued: ['suspended', 'stop'],
  done: ['ok', 'run'],
  skipped: ['stopped', 'stop'],
  missed: ['warning', 'warn'],
  failed: ['cross', 'off'],
}
/** Done, but not all of it well: the run as its counts say. */
export function runMark({ state, counts }: Pick<ScheduleRun, 'state' | 'counts'>): { sign: SignName; tone: string; words: string } {
  if (state === 'done' && counts) {
    if (counts.failed > 0) return { sign: 'cross', tone: 'off', words: t('jobs.failed', { n: counts.failed }) }
    if (counts.unknown > 0) return { sign: 'unknown', tone: 'warn', words: t('jobs.unknown', { n: counts.unknown }) }
    if (counts.cancelled > 0) return { sign: 'stopped', tone: 'warn', words: t('schedules.run.cancelled', { n: counts.cancelled }) }
  }
  const [sign, tone] = RUN_SIGN[state]
  return { sign, tone, words: t(`schedules.run.${state}`) }
}

export const missedWords = ({ missed }: Schedule): string => t(`schedules.missed_is.${missed.do}`, { span: span(missed.within_s) })
