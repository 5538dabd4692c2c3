/** The HTTP API's shapes as the UI uses them. Times are RFC 3339 UTC, ids integers that are never reused. */

export type HostStatus = 'online' | 'offline' | 'maintenance'
export type VmStatus = 'running' | 'stopped' | 'suspended' | 'unknown'
export type VmType = 'kiosk' | 'pos' | 'server' | 'backup' | 'other'
export type PharmacyState = 'ok' | 'warning' | 'offline' | 'maintenance' | 'empty'
export type OpeningState = 'open' | 'before' | 'after' | 'closed' | 'unknown'
export type Verb = 'start' | 'shutdown' | 'stop' | 'reboot' | 'reset' | 'suspend' | 'resume'
/** What else jobs do to guests: snapshots, backups, the start with the host. */
export type CareVerb = 'snapshot' | 'rollback' | 'snapshot_delete' | 'backup' | 'onboot'
export type JobVerb = Verb | CareVerb
export type Params = Record<string, unknown>

export interface List<T> {
  items: T[]
  total: number
}

export interface Session {
  user: { id: number; name: string; display_name: string; lang: 'ko' | 'en' }
  csrf: string
  privileges: string[]
  /** null: it ends only when idle too long. */
  expires_at: string | null
  /** Only the password opens it again; until then it holds no privileges. */
  locked: boolean
  second_factor: boolean
  /** The rules ask for one and there is none: it must be registered before anything else. */
  second_factor_needed: boolean
  /** Minutes without a key or a click until the screen is locked; 0: never. */
  lock_minutes: number
}

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'
export type Hours = Partial<Record<Weekday, [string, string][]>>

export interface Group {
  id: number
  name: string
  kind: 'region' | 'chain' | 'other'
}

export interface Pharmacy {
  id: number
  code: string
  name: string
  representative: string
  phone: string
  address: string
  groups: Group[]
  hours: Hours
  closing_days: string[]
  note: string
  /** Its contract lets us open its VMs' screens. */
  screens_allowed: boolean
  /** Who opens one must say why. */
  screen_reason: boolean
  host_ids: number[]
  opening: { state: OpeningState; from: string | null; to: string | null }
  state: PharmacyState
  verdict: { code: string; params: Params } | null
}

export interface PharmacyInput {
  code: string
  name: string
  representative: string
  phone: string
  address: string
  hours: Hours
  closing_days: string[]
  note: string
  group_ids: number[]
  /** Left out: as it was, or for a new one allowed and without a reason. */
  screens_allowed?: boolean
  screen_reason?: boolean
}

export interface Host {
  id: number
  pharmacy_id: number
  pharmacy_name: string
  host_ip: string
  addresses: string[]
  host_port: number
  username: string
  credential_id: number | null
  credential_kind: 'password' | 'token'
  node: string | null
  status: HostStatus
  reason: string | null
  reason_params: Params | null
  since: string | null
  last_check: string | null
  last_contact: string | null
  vm_count: number
  version: string | null
  cpu: number | null
  memory_used: number | null
  memory_total: number | null
  storage_used: number | null
  storage_total: number | null
  latency_ms?: number | null
  maintenance?: boolean
  maintenance_note?: string
  certificate: { fingerprint: string | null; seen: string | null; not_after: string | null; nodes: { node: string | null; fingerprint: string; not_after: string | null }[] } | null
}

export interface VmTask {
  job_id: number
  item_id: number
  verb: JobVerb
  state: string
  started_at: string | null
}

export interface Vm {
  id: number
  pharmacy_id: number
  pharmacy_name: string
  host_id: number
  host_status: HostStatus
  vmid: number
  vm_name: string
  vm_type: VmType
  vm_type_source: string
  guest_type: 'qemu' | 'lxc'
  status: VmStatus
  pve_status: string
  node_name: string
  cpu_cores: number | null
  memory_mb: number | null
  disk_gb: number | null
  ip_address: string | null
  ip_source: string | null
  description: string
  tags: string[]
  cpu: number | null
  memory_used_mb: number | null
  uptime_s: number | null
  lock: string | null
  template: boolean
  last_sync: string | null
  missing_since: string | null
  stale: boolean
  console: 'vnc' | 'none' | 'unknown'
  task: VmTask | null
}

/** How a job goes about its VMs; what is left out is as usual. */
export interface JobOptions {
  /** So many first, the rest only after all of them. */
  canary?: number
  /** Cancel what waits when more than this share failed. */
  stop_above_percent?: number | null
  per_host?: number | null
  overall?: number | null
  /** Kinds of VMs in their turn on each host; kinds not named come last. */
  order?: VmType[]
  order_pause_s?: number
  deadline_s?: number | null
  /** Started means: the agent answers or the screen shows a picture within this time. */
  ready_s?: number | null
  snapshot?: { name: string; description?: string; memory?: boolean; start?: boolean } | null
  backup?: { storage?: string | null; mode?: 'snapshot' | 'suspend' | 'stop'; compress?: '0' | 'gzip' | 'lzo' | 'zstd'; notes?: string } | null
}

export interface VmFilter {
  pharmacy_id: number[]
  group_id: number[]
  host_id: number[]
  type: VmType[]
  status: VmStatus[]
  host_status: HostStatus[]
  tag: string[]
  q: string
  missing: boolean | null
}

export type JobCounts = Record<'queued' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'unknown' | 'cancelled' | 'total', number>

export interface Job {
  id: number
  act_id: string
  verb: JobVerb
  force: boolean
  actor: { kind: string; id: number | null; name: string | null }
  state: 'queued' | 'running' | 'done' | 'cancelled'
  created_at: string
  started_at: string | null
  finished_at: string | null
  counts: JobCounts
  timeout_s: number | null
  options: JobOptions
  /** Why there is a job that nobody asked for directly. */
  cause: { kind: 'schedule' | 'retry'; id: number; name: string } | null
  /** Who or what cancelled the rest. */
  ended_by: 'person' | 'failures' | 'deadline' | null
}

export interface JobItem {
  id: number
  job_id: number
  vm_id: number
  host_id: number
  vmid: number
  vm_name: string
  pharmacy_id: number
  pharmacy_name: string
  /** sending: on its way to the host; watching: the host's task runs. */
  state: 'queued' | 'sending' | 'watching' | 'succeeded' | 'failed' | 'skipped' | 'unknown' | 'cancelled'
  reason: string | null
  reason_params: Params | null
  upid: string | null
  started_at: string | null
  finished_at: string | null
  /** 0 goes first, as the canary of a job in waves. */
  wave: number
  /** Its place in the order on its host. */
  turn: number
  /** Waits for its wave or its turn. */
  held: boolean
}

/** One line of a dry run. */
export interface PlannedItem {
  vm_id: number
  host_id: number
  vmid: number
  vm_name: string
  vm_type: string
  pharmacy_id: number
  pharmacy_name: string
  plan: 'do' | 'skip'
  reason: string | null
  reason_params: Params
  wave: number
  turn: number
  /** Its pharmacy is open now. */
  open: boolean
}
export interface DryRun {
  items: PlannedItem[]
  /** Open ones among the pharmacies whose VMs would be touched. */
  open_pharmacies: number
}

/** A VM that its host does not start when it boots. */
export interface OnbootRow {
  vm_id: number
  host_id: number
  vmid: number
  vm_name: string
  vm_type: VmType
  status: VmStatus
  pharmacy_id: number
  pharmacy_name: string
}

export interface Summary {
  hosts: { total: number; online: number; offline: number; maintenance: number; reasons: Record<string, number> }
  vms: {
    total: number
    running: number
    stopped: number
    suspended: number
    unknown: number
    running_confirmed: number
    running_last_known: number
    missing: number
    types: Partial<Record<VmType, number>>
  }
  pharmacies: { total: number; open: number; open_offline: number; ok: number; warning: number; offline: number; maintenance: number }
  consoles: { open: number }
  jobs: { running: number }
}

export interface JournalEvent {
  seq: number
  at: string
  kind: string
  phase: 'event' | 'request' | 'outcome'
  act_id: string | null
  actor: { kind: string; id: number | null; name: string | null }
  pharmacy_id: number | null
  pharmacy_name: string | null
  host_id: number | null
  vm_id: number | null
  vm_name: string | null
  params: Params
  outcome: string | null
  upid: string | null
}

export interface SearchHit {
  type: 'pharmacy' | 'vm' | 'host'
  id: number
  pharmacy_id: number | null
  title: string
  subtitle: string
  status: string
}

export interface Probe {
  address: string
  port: number
  fingerprint: string
  subject: string
  not_after: string
  is_proxmox: boolean
  server: string
  realms: { realm: string; comment: string | null; tfa: string | null }[]
}

export interface Credential {
  id: number
  name: string
  kind: 'password' | 'token'
  username: string
  host_count: number
  updated_at: string
}

export type FieldErrors = Record<string, { code: string; params?: Params }[]>

export interface EnrolmentPharmacy {
  code: string
  name: string
  representative: string
  phone: string
  address: string
  region: string
  chain: string
  hours: Hours
  closing_days: string[]
  note: string
}

export interface EnrolmentRow {
  line: number
  pharmacy: EnrolmentPharmacy
  host_ip: string
  host_port: number | null
  node: string
  /** ok: may be enrolled once its fingerprint is confirmed; exists: already here; error: see `errors`. */
  result: 'ok' | 'exists' | 'error'
  fingerprint: string | null
  not_after: string | null
  errors: FieldErrors
}

export interface EnrolmentResult {
  line: number
  result: 'ok' | 'exists' | 'error'
  host_id: number | null
  errors: FieldErrors
}

export interface HealthStep {
  step: 'address' | 'tcp' | 'certificate' | 'login' | 'permission' | 'api'
  state: 'ok' | 'failed' | 'skipped'
  ms: number | null
  code: string | null
}

export interface Health {
  status: HostStatus
  reason: string | null
  reason_params: Params
  checked: 'live' | 'last_known'
  age_s: number | null
  latency_ms: number | null
  steps: HealthStep[]
}

/** A one-time address of a console. */
export interface VncSession {
  session_id: string
  websocket_url: string
  expires_at: string
  /** Names the session in lists and acts. */
  session_key: string
  kind: 'screen' | 'terminal' | 'shell'
  mode: 'control' | 'view'
  /** The VM is stopped, and is started when the browser comes. */
  starts: boolean
}

/** Somebody on a screen. One person controls it; who `wants` control and only watches waits for it. */
export interface Viewer {
  session_key: string
  user_id: number | null
  name: string
  kind: 'screen' | 'terminal' | 'shell'
  mode: 'control' | 'view'
  wants: 'control' | 'view'
  phase: 'starting' | 'connecting' | 'open'
  since: string
}

/** One step of a check: first `running`, then `ok` or `failed`; the rest is `skipped`. */
export interface CheckLine {
  step: string
  state: 'running' | 'ok' | 'failed' | 'skipped'
  ms: number | null
  facts: Record<string, string | number>
  code: string | null
  params: Record<string, string | number>
}

/** Who is on a VM's screen, oldest first. `id` is the VM's. */
export interface Viewers {
  id: number
  viewers: Viewer[]
}
