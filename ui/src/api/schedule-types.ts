/** The shapes of schedules. A rule is in local time; moments are RFC 3339 UTC, days `2026-12-25`. */
import type { JobCounts, JobOptions, Params, Verb, VmFilter, Weekday } from './types'

/** Snapshots are not made by schedules: nobody would delete them. */
export type ScheduleVerb = Verb | 'backup'

export interface Weekly {
  kind: 'weekly'
  days: Weekday[]
  /** "08:30" */
  times: string[]
}
export interface Cron {
  kind: 'cron'
  expression: string
}
/** Minutes after each pharmacy opens or closes; negative: before. */
export interface Around {
  kind: 'opening'
  edge: 'open' | 'close'
  offset_min: number
  days: Weekday[]
}
export type Rule = Weekly | Cron | Around

export interface When {
  rule: Rule
  zone: string
  from: string | null
  until: string | null
  except: string[]
  /** Korea's public holidays: like any day, never, or on nothing else. */
  holidays: 'run' | 'skip' | 'only'
  /** Pharmacies that are closed on the day: like the others, or left out. */
  closed: 'run' | 'skip'
}

export interface Missed {
  do: 'skip' | 'once' | 'when_back'
  within_s: number
}

export interface ScheduleGuest {
  host_id: number
  vmid: number
  vm_id: number
  vm_name: string
  pharmacy_id: number
  pharmacy_name: string
  /** No longer there, or another VM has its VMID now. */
  gone: boolean
}

export type RunState = 'running' | 'done' | 'queued' | 'skipped' | 'missed' | 'failed'
/** A slot came; a person asked; a host came back. */
export type Trigger = 'slot' | 'hand' | 'back'

export interface ScheduleRun {
  id: number
  schedule_id: number
  schedule_name: string
  slot_at: string
  trigger: Trigger
  /** The slot had been missed and was made up for. */
  late: boolean
  state: RunState
  reason: string | null
  reason_params: Params
  job_id: number | null
  /** How many pharmacies it was for, where opening hours matter. */
  pharmacies: number | null
  counts: JobCounts | null
  created_at: string
  started_at: string | null
  finished_at: string | null
}

export interface Schedule {
  id: number
  name: string
  note: string
  verb: ScheduleVerb
  force: boolean
  timeout_s: number | null
  options: JobOptions
  /** One of both. */
  targets: { vms: ScheduleGuest[] | null; filter: VmFilter | null }
  when: When
  missed: Missed
  overlap: 'skip' | 'queue'
  enabled: boolean
  owner: { kind: string; id: number | null; name: string | null }
  next_at: string | null
  last_run: ScheduleRun | null
  /** Offline hosts whose VMs get their turn when they are back. */
  waiting_hosts: number
  may_edit: boolean
  created_at: string
  updated_at: string
}

/** What `POST` and `PUT` take. */
export interface ScheduleForm {
  name: string
  note: string
  verb: ScheduleVerb
  force: boolean
  timeout_s: number | null
  options: JobOptions
  targets: { vms: { host_id: number; vmid: number }[] } | { filter: Partial<Omit<VmFilter, 'missing'>> }
  when: When
  missed: Missed
  overlap: 'skip' | 'queue'
  enabled: boolean
}

export interface SchedulePreview {
  /** `day`: the local day it belongs to; `holiday`: its name when it is one. */
  runs: { at: string; day: string; holiday: string | null; pharmacies: number | null }[]
  avoided: { day: string; why: 'holiday' | 'exception'; name: string | null }[]
  /** What a run would touch if it were now. */
  guests: number
  skipped: number
  pharmacies: number
  without_hours: number
}

export interface CalendarEntry {
  schedule_id: number
  schedule_name: string
  verb: ScheduleVerb
  force: boolean
  at: string
  state: RunState | 'planned'
  trigger: Trigger
  run_id: number | null
  job_id: number | null
  reason: string | null
  reason_params: Params
  pharmacies: number | null
}

export interface Calendar {
  items: CalendarEntry[]
  holidays: { day: string; name: string }[]
  /** Schedules with more slots in this time than are shown. */
  truncated: number[]
}
