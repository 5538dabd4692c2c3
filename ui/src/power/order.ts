/** What somebody wants done to which VMs, as forms hold it and as the API takes it. Pure. */
import type { HostStatus, JobOptions, JobVerb, Verb, VmFilter, VmStatus, VmType } from '@/api/types'

import { choiceSearch, readIds, type ChoiceSearch } from './choice'

/** A VM chosen by hand. */
export interface Chosen {
  vm_id: number
  host_id: number
  vmid: number
  vm_name: string
  pharmacy_id: number
  pharmacy_name: string
  /** No longer there: it is left out when the form is sent. */
  gone?: boolean
}
export type Filter = Omit<VmFilter, 'missing'>
export interface Targets {
  by: 'filter' | 'list'
  filter: Filter
  /** An empty filter means every VM: somebody has to say so. */
  everything: boolean
  vms: Chosen[]
  /** The address names a choice that this tab does not have. */
  lost?: boolean
}
/** The verb with all that may be said about how. */
export interface How {
  verb: JobVerb
  /** `shutdown`: cut the power of what has not shut down in time. */
  force: boolean
  timeout_s: number | null
  options: JobOptions
}

export const POWER: readonly Verb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset', 'suspend', 'resume']
export const TYPES: readonly VmType[] = ['server', 'pos', 'kiosk', 'backup', 'other']
export const STATUSES: readonly VmStatus[] = ['running', 'stopped', 'suspended', 'unknown']
export const HOST_STATUSES: readonly HostStatus[] = ['online', 'offline', 'maintenance']
export const NO_FILTER: Filter = { pharmacy_id: [], group_id: [], host_id: [], type: [], status: [], host_status: [], tag: [], q: '' }
export const NO_TARGETS: Targets = { by: 'filter', filter: NO_FILTER, everything: false, vms: [] }
export const SNAPSHOT_NAME = /^[A-Za-z][A-Za-z0-9_-]{1,39}$/
export const STORAGE_NAME = /^[A-Za-z][A-Za-z0-9_.-]{1,99}$/

/** The least and the most that the server takes. */
export const LIMITS = {
  timeout_s: [1, 3600], ready_s: [5, 1800], canary: [0, 1000], stop_above_percent: [0, 100], per_host: [1, 20], overall: [1, 500], order_pause_s: [0, 1800], deadline_s: [60, 604_800],
} as const
/** While a number is typed it may be out of bounds for a moment; the field corrects itself when it is left. */
const within = (key: keyof typeof LIMITS, value: number): number => Math.min(LIMITS[key][1], Math.max(LIMITS[key][0], value))

const READY: ReadonlySet<JobVerb> = new Set(['start', 'reboot', 'reset', 'resume'])
/** Verbs after which a VM should be usable. */
export const mayBeReady = (verb: JobVerb): boolean => READY.has(verb)
/** Verbs that give the guest time to shut down. */
export const takesTime = (verb: JobVerb): boolean => verb === 'shutdown' || verb === 'reboot'
export const isSnapshot = (verb: JobVerb): verb is 'snapshot' | 'rollback' | 'snapshot_delete' => verb === 'snapshot' || verb === 'rollback' || verb === 'snapshot_delete'

const HARMLESS: ReadonlySet<JobVerb> = new Set(['start', 'resume', 'snapshot', 'onboot'])
/** Takes nothing away from anybody, as far as verb and options go. */
export const isHarmless = ({ verb, options }: Pick<How, 'verb' | 'options'>): boolean =>
  HARMLESS.has(verb) || (verb === 'backup' && (options.backup?.mode ?? 'snapshot') === 'snapshot')

/** More targets than this are confirmed by typing their number. */
export const MANY = 10
/** The number to be typed before so much is sent, if any. */
export const mustType = (how: Pick<How, 'verb' | 'options'>, n: number, open: number): string | undefined =>
  n > MANY || (!isHarmless(how) && open > 0) ? String(n) : undefined
/** Full-width digits of a Korean keyboard count as digits. */
export const isTyped = (typed: string, number: string | undefined): boolean => number === undefined || typed.normalize('NFKC').replaceAll(/[^\d]/g, '') === number

/** The filter without what is not asked for. */
export const filterBody = (filter: Filter): Partial<Filter> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value.length > 0)) as Partial<Filter>
export const isOpenFilter = (filter: Filter): boolean => Object.keys(filterBody(filter)).length === 0

export const refs = (vms: readonly Chosen[]): { host_id: number; vmid: number }[] => vms.filter((vm) => !vm.gone).map(({ host_id, vmid }) => ({ host_id, vmid }))
export const targetsBody = (targets: Targets): { vms: { host_id: number; vmid: number }[] } | { filter: Partial<Filter> } =>
  targets.by === 'list' ? { vms: refs(targets.vms) } : { filter: filterBody(targets.filter) }
/** Something is meant: a list with VMs in it, a filter, or everything. */
export const hasTargets = (targets: Targets): boolean => (targets.by === 'list' ? refs(targets.vms).length > 0 : targets.everything || !isOpenFilter(targets.filter))

/** Only what was said, and only what the verb knows. */
export function optionsBody({ verb, options }: Pick<How, 'verb' | 'options'>): JobOptions {
  const out: JobOptions = {}
  if (options.canary) out.canary = within('canary', options.canary)
  if (typeof options.stop_above_percent === 'number') out.stop_above_percent = within('stop_above_percent', options.stop_above_percent)
  if (options.per_host) out.per_host = within('per_host', options.per_host)
  if (options.overall) out.overall = within('overall', options.overall)
  if (options.order?.length) {
    out.order = options.order
    if (options.order_pause_s) out.order_pause_s = within('order_pause_s', options.order_pause_s)
  }
  if (options.deadline_s) out.deadline_s = within('deadline_s', options.deadline_s)
  if (options.ready_s && mayBeReady(verb)) out.ready_s = within('ready_s', options.ready_s)
  if (options.snapshot && isSnapshot(verb)) {
    const { name, description, memory, start } = options.snapshot
    out.snapshot = { name, ...(verb === 'snapshot' && description ? { description } : {}), ...(verb === 'snapshot' && memory ? { memory } : {}), ...(verb === 'rollback' && start ? { start } : {}) }
  }
  if (options.backup && verb === 'backup') {
    const { storage, mode = 'snapshot', compress = 'zstd', notes } = options.backup
    out.backup = { ...(storage ? { storage } : {}), mode, compress, ...(notes ? { notes } : {}) }
  }
  return out
}

/** Waves, order, limits or a deadline were asked for. */
export function isPaced(how: How): boolean {
  const { canary, stop_above_percent: stop, per_host: perHost, overall, order, deadline_s: deadline } = optionsBody(how)
  return [canary, stop, perHost, overall, order, deadline].some((one) => one !== undefined)
}

/** `stop` alone asks the guest; cutting the power is `stop` with force. */
export const howBody = (how: How): { force: boolean; timeout_s?: number; options: JobOptions } => ({
  force: how.verb === 'stop' || (how.verb === 'shutdown' && how.force),
  ...(how.timeout_s && takesTime(how.verb) ? { timeout_s: within('timeout_s', how.timeout_s) } : {}),
  options: optionsBody(how),
})

/** What the verb itself must know is there and can be read. */
export const isTold = ({ verb, options }: How): boolean =>
  isSnapshot(verb) ? SNAPSHOT_NAME.test(options.snapshot?.name ?? '') : verb !== 'backup' || !options.backup?.storage || STORAGE_NAME.test(options.backup.storage)

export const howOf = (verb: JobVerb): How => ({ verb, force: false, timeout_s: null, options: {} })

/** What one must hold for a verb. */
export const privilegeOf = (verb: JobVerb): string => (verb === 'onboot' ? 'guest.edit' : verb === 'backup' || isSnapshot(verb) ? 'snapshot' : 'power')

/** Where a job with this verb is asked for. */
export const pathOf = (verb: JobVerb): string =>
  verb === 'onboot' ? '/api/vms/onboot' : verb === 'backup' || isSnapshot(verb) ? `/api/vms/protect/${verb}` : `/api/vms/batch/${verb}`

// --- in an address

export interface TargetsSearch extends ChoiceSearch {
  pharmacy_id?: string
  group_id?: string
  host_id?: string
  type?: string
  status?: string
  host_status?: string
  tag?: string
  q?: string
  all?: true
}

const among = <T extends string>(text: string | undefined, known: readonly T[]): T[] => known.filter((one) => text?.split(',').includes(one))

export const filterOf = (search: TargetsSearch): Filter => ({
  pharmacy_id: readIds(search.pharmacy_id),
  group_id: readIds(search.group_id),
  host_id: readIds(search.host_id),
  type: among(search.type, TYPES),
  status: among(search.status, STATUSES),
  host_status: among(search.host_status, HOST_STATUSES),
  tag: search.tag ? search.tag.split(',') : [],
  q: search.q ?? '',
})

export function searchOf(targets: Targets): TargetsSearch {
  if (targets.by === 'list') return choiceSearch(targets.vms.map((vm) => vm.vm_id))
  const said = Object.fromEntries(Object.entries(filterBody(targets.filter)).map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : value]))
  return targets.everything && Object.keys(said).length === 0 ? { all: true } : said
}
