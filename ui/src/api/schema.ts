// Written by tools/api-types.mjs from docs/openapi.json; do not edit.
/* oxlint-disable */
export interface Schemas {
  Accept: {
    password: string
    token: string
  }
  AccountRow: {
    attempts?: number
    credential_kind: string
    due_at?: string | null
    host_id: number
    host_ip: string
    host_username: string
    next_at?: string | null
    operation?: string | null
    overdue?: boolean
    pharmacy_id: number
    pharmacy_name: string
    privileges?: string[]
    reason?: string | null
    reason_params?: Record<string, unknown>
    rotated_at?: string | null
    state: "none" | "queued" | "working" | "waiting" | "stopped" | "ready"
    step?: string | null
    token?: string | null
    username?: string | null
  }
  AccountsReport: {
    hosts: number
    none: number
    oldest: string | null
    overdue: number
    provision_automatically: boolean
    queued: number
    ready: number
    reasons: Record<string, number>
    rotate_days: number
    stopped: number
    waiting: number
    working: number
  }
  ActorRef: {
    id: number | null
    kind: string
    name: string | null
    token_id?: number | null
  }
  Administrator: {
    secret: string
    username: string
  }
  Around: {
    days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" | unknown)[]
    edge: "open" | "close"
    kind: "opening"
    offset_min?: number
  }
  AuditActor: {
    id: number | null
    kind: string
    name: string | null
    source: string | null
  }
  AuditFilter: {
    act_id?: string | null
    actor_id?: number[]
    by?: ("user" | "token" | "system")[]
    host_id?: number[]
    kind?: string[]
    outcome?: ("ok" | "failed" | "open")[]
    person?: string | null
    pharmacy_id?: number[]
    since?: string | null
    until?: string | null
    vm_id?: number[]
  }
  AuditRow: {
    act_id: string | null
    actor: Schemas["AuditActor"]
    at: string
    duration_ms: number | null
    finished_at: string | null
    host_id: number | null
    kind: string
    outcome: string | null
    outcomes: Record<string, number>
    params: Record<string, unknown>
    pharmacy_id: number | null
    pharmacy_name: string | null
    phase: string
    reason: string | null
    seq: number
    upid: string | null
    vm_id: number | null
    vm_name: string | null
  }
  AvoidedDay: {
    day: string
    name: string | null
    why: "holiday" | "exception"
  }
  BackupOptions: {
    compress?: "0" | "gzip" | "lzo" | "zstd"
    mode?: "snapshot" | "suspend" | "stop"
    notes?: string
    storage?: string | null
  }
  BatchIn: {
    dry_run?: boolean
    filter?: Schemas["FilterIn"] | null
    force?: boolean
    options?: Schemas["JobOptions"]
    timeout_s?: number | null
    vms?: Schemas["VmIn"][] | null
  }
  BreachPack: {
    acts: number
    addresses: string[]
    exports: Schemas["AuditRow"][]
    pharmacies: string[]
    screens: Schemas["SeenScreen"][]
    screenshots: Schemas["AuditRow"][]
    sign_ins: Schemas["AuditRow"][]
    since: string
    until: string
    user_id: number
  }
  Calendar: {
    holidays: Schemas["Holiday"][]
    items: Schemas["CalendarEntry"][]
    truncated: number[]
  }
  CalendarEntry: {
    at: string
    force: boolean
    job_id: number | null
    pharmacies: number | null
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    run_id: number | null
    schedule_id: number
    schedule_name: string
    state: "running" | "done" | "queued" | "skipped" | "missed" | "failed" | "planned"
    trigger: "slot" | "hand" | "back"
    verb: "start" | "shutdown" | "stop" | "reboot" | "reset" | "suspend" | "resume" | "backup"
  }
  Cause: {
    id: number
    kind: "schedule" | "retry"
    name?: string
  }
  CertificateView: {
    fingerprint: string | null
    nodes?: Schemas["Pin"][]
    not_after: string | null
    seen: string | null
  }
  CheckState: {
    checked: number
    report: Schemas["Report"] | null
    running: boolean
    total: number
  }
  CheckedRow: {
    errors: Record<string, Schemas["FieldError"][]>
    fingerprint: string | null
    host_ip: string
    host_port: number | null
    line: number
    node: string
    not_after: string | null
    pharmacy: Schemas["PharmacyPart"]
    result: "ok" | "exists" | "error"
  }
  CodeIn: {
    code: string
  }
  ConnectIn: {
    host_id?: number | null
    kind?: "screen" | "terminal"
    mode?: "control" | "view" | null
    pharmacy_id: number
    purpose?: string
    start?: boolean
    vm_type?: "kiosk" | "pos" | "server" | "backup" | "other" | null
    vmid: number
  }
  ConsoleCounts: {
    open?: number
  }
  Counts: {
    cancelled?: number
    failed?: number
    queued?: number
    running?: number
    skipped?: number
    succeeded?: number
    total?: number
    unknown?: number
  }
  CredentialForm: {
    kind?: "password" | "token"
    name: string
    secret: string
    username: string
  }
  CredentialPatch: {
    kind?: "password" | "token"
    name?: string
    secret?: string
    username?: string
  }
  CredentialRow: {
    host_count: number
    id: number
    kind: "password" | "token"
    name: string
    updated_at: string
    username: string
  }
  Cron: {
    expression: string
    kind: "cron"
  }
  CsvForm: {
    csv?: string | null
    csv_base64?: string | null
  }
  DormantAccount: {
    last_sign_in: string | null
    name: string
    user_id: number
  }
  DryRun: {
    items: Schemas["PlannedItem"][]
    open_pharmacies: number
  }
  EnrolForm: {
    credential_id: number
    rows: (Schemas["EnrolRow"] | unknown)[]
  }
  EnrolRow: {
    address?: string
    chain?: string
    closing_days?: string[]
    code?: string
    fingerprint?: string | null
    host_ip?: string
    host_port?: number | null
    hours?: Schemas["Hours"]
    line?: number
    name?: string
    node?: string
    note?: string
    phone?: string
    region?: string
    representative?: string
  }
  EnrolledRow: {
    errors: Record<string, Schemas["FieldError"][]>
    host_id: number | null
    line: number
    result: "ok" | "exists" | "error"
  }
  Enrolment: {
    key: string
    picture: string
    uri: string
  }
  EraseForm: {
    reason: string
    user_id: number
  }
  Erased: {
    rows: number
  }
  EventActor: {
    id: number | null
    kind: string
    name: string | null
  }
  EventExportForm: {
    filter?: Schemas["EventFilter"]
    format: "csv" | "jsonl"
    reason: string
  }
  EventFilter: {
    act_id?: string | null
    actor_id?: number[]
    host_id?: number[]
    kind?: string[]
    person?: string | null
    pharmacy_id?: number[]
    since?: string | null
    until?: string | null
    vm_id?: number[]
  }
  EventRow: {
    act_id: string | null
    actor: Schemas["EventActor"]
    at: string
    host_id: number | null
    kind: string
    outcome: string | null
    params: Record<string, unknown>
    pharmacy_id: number | null
    pharmacy_name: string | null
    phase: string
    seq: number
    upid: string | null
    vm_id: number | null
    vm_name: string | null
  }
  ExportForm: {
    filter?: Schemas["AuditFilter"]
    format: "csv" | "jsonl"
    reason: string
  }
  Farewell: {
    grants: number
    handed_over: Record<string, number>
    known: Schemas["KnownSecret"][]
    second_factor: boolean
    sessions: number
    tokens: number
  }
  FieldError: {
    code: string
    params?: Record<string, string | number | boolean | null>
  }
  FieldProblem: {
    code: string
    message: string
    params: Record<string, unknown>
  }
  FilterIn: {
    group_id?: number | number[] | null
    host_id?: number | number[] | null
    host_status?: "online" | "offline" | "maintenance" | ("online" | "offline" | "maintenance")[] | null
    pharmacy_id?: number | number[] | null
    q?: string
    status?: "running" | "stopped" | "suspended" | "unknown" | ("running" | "stopped" | "suspended" | "unknown")[] | null
    tag?: string | string[] | null
    type?: "kiosk" | "pos" | "server" | "backup" | "other" | ("kiosk" | "pos" | "server" | "backup" | "other")[] | null
  }
  Finding: {
    code: string
    detail?: string
    first: number
    last: number
  }
  ForwardState: {
    enabled: boolean
    error: string | null
    newest: number
    sent: number
    since: string | null
  }
  GrantIn: {
    path: string
    role: string
  }
  GrantRow: {
    id: number
    path: string
    role: string
    role_name: string
  }
  GroupForm: {
    kind?: "region" | "chain" | "other"
    name: string
  }
  GuestView: {
    gone: boolean
    host_id: number
    pharmacy_id: number
    pharmacy_name: string
    vm_id: number
    vm_name: string
    vmid: number
  }
  Health: {
    status: string
  }
  HealthStep: {
    code?: string | null
    ms?: number | null
    state: "ok" | "failed" | "skipped"
    step: "address" | "tcp" | "certificate" | "login" | "permission" | "api"
  }
  HealthView: {
    age_s: number | null
    checked: "live" | "last_known"
    latency_ms: number | null
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    status: "online" | "offline" | "maintenance"
    steps: Schemas["HealthStep"][]
  }
  Holiday: {
    day: string
    name: string
  }
  HostCounts: {
    maintenance?: number
    offline?: number
    online?: number
    reasons?: Record<string, number>
    total?: number
  }
  HostForm: {
    addresses?: (string | unknown)[]
    credential?: Schemas["OwnCredential"] | null
    credential_id?: number | null
    fingerprint?: string | null
    fingerprints?: (string | unknown)[]
    force?: boolean
    host_ip: string
    host_port?: number | null
    maintenance?: boolean
    maintenance_note?: string
    node?: string | null
    pharmacy_id: number
  }
  HostPatch: {
    addresses?: string[]
    credential?: Schemas["OwnCredential"] | null
    credential_id?: number | null
    fingerprint?: string | null
    fingerprints?: (string | unknown)[]
    force?: boolean
    host_ip?: string
    host_port?: number
    maintenance?: boolean
    maintenance_note?: string
    node?: string | null
    pharmacy_id?: number
  }
  HostRow: {
    addresses: string[]
    certificate: Schemas["CertificateView"]
    cpu: number | null
    credential_id: number | null
    credential_kind: "password" | "token"
    host_ip: string
    host_port: number
    id: number
    last_check: string | null
    last_contact: string | null
    latency_ms: number | null
    maintenance: boolean
    maintenance_note: string
    memory_total: number | null
    memory_used: number | null
    node: string | null
    pharmacy_id: number
    pharmacy_name: string
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    since: string | null
    status: "online" | "offline" | "maintenance"
    storage_total: number | null
    storage_used: number | null
    username: string
    version: string | null
    vm_count: number
  }
  Hours: {
    fri?: [string, string][]
    mon?: [string, string][]
    sat?: [string, string][]
    sun?: [string, string][]
    thu?: [string, string][]
    tue?: [string, string][]
    wed?: [string, string][]
  }
  InvitationOut: {
    expires_at: string
    url: string
  }
  Invited: {
    token: string
  }
  InvitedOut: {
    display_name: string
    name: string
  }
  InvitedUser: {
    invitation: Schemas["InvitationOut"]
    user: Schemas["UserRow"]
  }
  ItemView: {
    finished_at: string | null
    held?: boolean
    host_id: number
    id: number
    job_id: number
    pharmacy_id: number
    pharmacy_name: string
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    started_at: string | null
    state: "queued" | "sending" | "watching" | "succeeded" | "failed" | "skipped" | "unknown" | "cancelled"
    turn?: number
    upid: string | null
    vm_id: number
    vm_name: string
    vmid: number
    wave?: number
  }
  JobCounts: {
    running?: number
  }
  JobOptions: {
    backup?: Schemas["BackupOptions"] | null
    canary?: number
    deadline_s?: number | null
    order?: ("kiosk" | "pos" | "server" | "backup" | "other" | unknown)[]
    order_pause_s?: number
    overall?: number | null
    per_host?: number | null
    ready_s?: number | null
    snapshot?: Schemas["SnapshotOptions"] | null
    stop_above_percent?: number | null
  }
  JobView: {
    act_id: string
    actor: Schemas["ActorRef"]
    cause?: Schemas["Cause"] | null
    counts: Schemas["Counts"]
    created_at: string
    ended_by?: "person" | "failures" | "deadline" | null
    finished_at: string | null
    force: boolean
    id: number
    options?: Schemas["JobOptions"]
    started_at: string | null
    state: "queued" | "running" | "done" | "cancelled"
    timeout_s?: number | null
    verb: "start" | "shutdown" | "stop" | "reboot" | "reset" | "suspend" | "resume" | "snapshot" | "rollback" | "snapshot_delete" | "backup" | "onboot"
  }
  KindRule: {
    kind: "kiosk" | "pos" | "server" | "backup" | "other"
    words: (string | unknown)[]
  }
  KnownSecret: {
    at: string
    changed_since: boolean
    id: number
    kind: "credential" | "host" | "root_password"
    name: string
    pharmacy_id: number | null
  }
  LeaveIn: {
    heir_id?: number | null
    reason?: string
  }
  LostDevice: {
    farewell: Schemas["Farewell"]
    invitation: Schemas["InvitationOut"]
  }
  LostIn: {
    reason?: string
  }
  Missed: {
    do?: "skip" | "once" | "when_back"
    within_s?: number
  }
  ModeIn: {
    force?: boolean
    mode: "control" | "view"
  }
  NewPasswordIn: {
    new: string
    old: string
  }
  NewToken: {
    token: string
  }
  OnbootRow: {
    host_id: number
    pharmacy_id: number
    pharmacy_name: string
    status: "running" | "stopped" | "suspended" | "unknown"
    vm_id: number
    vm_name: string
    vm_type: "kiosk" | "pos" | "server" | "backup" | "other"
    vmid: number
  }
  Opening: {
    from?: string | null
    state: "open" | "before" | "after" | "closed" | "unknown"
    to?: string | null
  }
  OwnCredential: {
    kind?: "password" | "token"
    secret: string
    username: string
  }
  OwnSecurity: {
    recovery_codes_left: number
    second_factor_at: string | null
    second_factor_needed: boolean
    signed_in_at: string | null
  }
  Owner: {
    id: number | null
    kind: string
    name: string | null
    token_id?: number | null
  }
  PackForm: {
    reason: string
    since: string
    until: string
    user_id: number
  }
  "Page_pharmq.access.leaving.KnownSecret_": {
    items: Schemas["KnownSecret"][]
    total: number
  }
  "Page_pharmq.access.own.TokenRow_": {
    items: Schemas["TokenRow"][]
    total: number
  }
  "Page_pharmq.access.people.RoleRow_": {
    items: Schemas["RoleRow"][]
    total: number
  }
  "Page_pharmq.access.people.UserRow_": {
    items: Schemas["UserRow"][]
    total: number
  }
  "Page_pharmq.access.sessions.SessionRow_": {
    items: Schemas["access_sessions_SessionRow"][]
    total: number
  }
  "Page_pharmq.audit.search.AuditRow_": {
    items: Schemas["AuditRow"][]
    total: number
  }
  "Page_pharmq.audit.service.EventRow_": {
    items: Schemas["EventRow"][]
    total: number
  }
  "Page_pharmq.consoles.model.SessionRow_": {
    items: Schemas["consoles_model_SessionRow"][]
    total: number
  }
  "Page_pharmq.hosts.enrolment.CheckedRow_": {
    items: Schemas["CheckedRow"][]
    total: number
  }
  "Page_pharmq.hosts.enrolment.EnrolledRow_": {
    items: Schemas["EnrolledRow"][]
    total: number
  }
  "Page_pharmq.hosts.model.CredentialRow_": {
    items: Schemas["CredentialRow"][]
    total: number
  }
  "Page_pharmq.hosts.model.HostRow_": {
    items: Schemas["HostRow"][]
    total: number
  }
  "Page_pharmq.hosts.model.PharmacyGroup_": {
    items: Schemas["PharmacyGroup"][]
    total: number
  }
  "Page_pharmq.hosts.model.PharmacyRow_": {
    items: Schemas["PharmacyRow"][]
    total: number
  }
  "Page_pharmq.inventory.model.SearchHit_": {
    items: Schemas["SearchHit"][]
    total: number
  }
  "Page_pharmq.inventory.model.VmRow_": {
    items: Schemas["VmRow"][]
    total: number
  }
  "Page_pharmq.jobs.model.ItemView_": {
    items: Schemas["ItemView"][]
    total: number
  }
  "Page_pharmq.jobs.model.JobView_": {
    items: Schemas["JobView"][]
    total: number
  }
  "Page_pharmq.jobs.onboot.OnbootRow_": {
    items: Schemas["OnbootRow"][]
    total: number
  }
  "Page_pharmq.provisioning.model.AccountRow_": {
    items: Schemas["AccountRow"][]
    total: number
  }
  "Page_pharmq.schedules.model.RunView_": {
    items: Schemas["RunView"][]
    total: number
  }
  "Page_pharmq.schedules.model.ScheduleView_": {
    items: Schemas["ScheduleView"][]
    total: number
  }
  PasswordIn: {
    password: string
  }
  PersonReview: {
    access_changes: number
    acts: number
    addresses: number
    consoles: number
    exports: number
    name: string | null
    refused: number
    remarks: string[]
    sign_ins: number
    unusual: number
    user_id: number | null
  }
  PharmacyCounts: {
    empty?: number
    maintenance?: number
    offline?: number
    ok?: number
    open?: number
    open_offline?: number
    total?: number
    warning?: number
  }
  PharmacyForm: {
    address?: string
    closing_days?: (string | unknown)[]
    code: string
    group_ids?: (number | unknown)[]
    hours?: Schemas["Hours"]
    name: string
    note?: string
    phone?: string
    representative?: string
    screen_reason?: boolean | null
    screens_allowed?: boolean | null
  }
  PharmacyGroup: {
    id: number
    kind: "region" | "chain" | "other"
    name: string
  }
  PharmacyPart: {
    address: string
    chain: string
    closing_days: string[]
    code: string
    hours: unknown
    name: string
    note: string
    phone: string
    region: string
    representative: string
  }
  PharmacyRow: {
    address: string
    closing_days: string[]
    code: string
    groups: Schemas["PharmacyGroup"][]
    host_ids: number[]
    hours: Schemas["Hours"]
    id: number
    name: string
    note: string
    opening: Schemas["Opening"]
    phone: string
    representative: string
    screen_reason?: boolean
    screens_allowed?: boolean
    state: "ok" | "warning" | "offline" | "maintenance" | "empty"
    verdict: Schemas["Verdict"]
  }
  Pin: {
    fingerprint: string
    node?: string | null
    not_after?: string | null
  }
  PinForm: {
    fingerprint: string
  }
  PlannedItem: {
    host_id: number
    open?: boolean
    pharmacy_id: number
    pharmacy_name: string
    plan: "do" | "skip"
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    turn?: number
    vm_id: number
    vm_name: string
    vm_type?: string
    vmid: number
    wave?: number
  }
  Preview: {
    avoided: Schemas["AvoidedDay"][]
    guests: number
    pharmacies: number
    runs: Schemas["UpcomingRun"][]
    skipped: number
    without_hours: number
  }
  Privilege: "see" | "power" | "snapshot" | "guest.edit" | "console.view" | "console.control" | "console.terminal" | "node.shell" | "console.clipboard" | "console.screenshot" | "session.kill" | "host.edit" | "pharmacy.edit" | "credential.edit" | "schedule.edit" | "alert.edit" | "export" | "audit.read" | "access.edit" | "settings.edit"
  ProbeForm: {
    address: string
    port?: number | null
  }
  ProbeView: {
    address: string
    fingerprint: string
    is_proxmox: boolean
    not_after: string
    port: number
    realms: Schemas["RealmView"][]
    server: string
    subject: string
  }
  Problem: {
    code: string
    detail: string
    errors: Record<string, Schemas["FieldProblem"][]>
    params: Record<string, unknown>
    status: number
    title: string
    type: string
  }
  ProfileIn: {
    display_name: string
    lang: "ko" | "en"
  }
  ProvisionForm: {
    administrator?: Schemas["Administrator"] | null
    forget_set?: boolean
    host_ids?: number[] | null
  }
  Readiness: {
    checks: Record<string, boolean>
    ready: boolean
  }
  RealmView: {
    comment: string | null
    realm: string
    tfa: string | null
  }
  RecoveryCodes: {
    recovery_codes: string[]
  }
  Refusal: {
    code: string
    host_id: number
  }
  RemoveForm: {
    administrator?: Schemas["Administrator"] | null
    forget_host?: boolean
  }
  Report: {
    checkpoints: number
    cut_segments: number
    findings: Schemas["Finding"][]
    finished_at: string
    head_hash: string
    head_seq: number
    rows: number
    started_at: string
    whole: boolean
  }
  RetentionState: {
    cut_at: string | null
    cut_segments: number
    cut_until: number
    keep_access_days: number
    keep_grants_days: number
    newest_seq: number
    oldest_at: string | null
    oldest_seq: number | null
    segments: number
  }
  RetryIn: {
    states?: ("failed" | "unknown" | "cancelled" | unknown)[]
  }
  ReviewMonth: {
    ended: boolean
    month: string
    signed_at: string | null
    signed_by: number | null
  }
  ReviewReport: {
    dormant: Schemas["DormantAccount"][]
    month: string
    note?: string
    people: Schemas["PersonReview"][]
    signed_at?: string | null
    signed_by?: number | null
  }
  RoleIn: {
    name: string
    privileges: Schemas["Privilege"][]
  }
  RoleRow: {
    built_in: boolean
    id: number | null
    key: string
    name: string
    privileges: Schemas["Privilege"][]
    users: number
  }
  RotateForm: {
    host_ids?: number[] | null
  }
  RunView: {
    counts: Schemas["Counts"] | null
    created_at: string
    finished_at: string | null
    id: number
    job_id: number | null
    late: boolean
    pharmacies: number | null
    reason: string | null
    reason_params: Record<string, string | number | boolean | null>
    schedule_id: number
    schedule_name: string
    slot_at: string
    started_at: string | null
    state: "running" | "done" | "queued" | "skipped" | "missed" | "failed"
    trigger: "slot" | "hand" | "back"
  }
  RuntimeSettings: {
    certificate_warning_days?: number
    console_claim_s?: number
    console_hours?: number
    console_idle_minutes?: number
    consoles_per_host?: number
    consoles_per_user?: number
    consoles_total?: number
    handshakes_max?: number
    inside_networks?: (string | unknown)[]
    invitation_hours?: number
    jobs_per_host?: number
    jobs_total?: number
    keep_access_days?: number
    keep_grants_days?: number
    kind_rules?: (Schemas["KindRule"] | unknown)[]
    lock_minutes?: number
    offline_after?: number
    poll_interval_s?: number
    provision_automatically?: boolean
    purge_missing_days?: number
    reauth_minutes?: number
    rotate_days?: number
    second_factor_required?: boolean
    session_hours?: number
    session_idle_hours?: number
    slow_interval_s?: number
    syslog_url?: string
  }
  ScheduleForm: {
    enabled?: boolean
    force?: boolean
    missed?: Schemas["Missed"]
    name: string
    note?: string
    options?: Schemas["JobOptions"]
    overlap?: "skip" | "queue"
    targets: Schemas["TargetsIn"]
    timeout_s?: number | null
    verb: "start" | "shutdown" | "stop" | "reboot" | "reset" | "suspend" | "resume" | "backup"
    when: Schemas["When"]
  }
  ScheduleView: {
    created_at: string
    enabled: boolean
    force: boolean
    id: number
    last_run: Schemas["RunView"] | null
    may_edit: boolean
    missed: Schemas["Missed"]
    name: string
    next_at: string | null
    note: string
    options: Schemas["JobOptions"]
    overlap: "skip" | "queue"
    owner: Schemas["Owner"]
    targets: Schemas["TargetsView"]
    timeout_s: number | null
    updated_at: string
    verb: "start" | "shutdown" | "stop" | "reboot" | "reset" | "suspend" | "resume" | "backup"
    waiting_hosts: number
    when: Schemas["When"]
  }
  ScreenRow: {
    id: number
    viewers: Schemas["Viewer"][]
  }
  SearchHit: {
    id: number
    pharmacy_id: number
    status: string
    subtitle: string
    title: string
    type: "pharmacy" | "vm" | "host"
  }
  SeenScreen: {
    act_id: string | null
    closed_at: string | null
    details: Record<string, unknown>
    duration_s: number | null
    opened_at: string
    pharmacy_id: number | null
    pharmacy_name: string | null
    vm_id: number | null
    vm_name: string | null
  }
  SessionOut: {
    csrf: string
    expires_at: string | null
    lock_minutes: number
    locked: boolean
    privileges: string[]
    second_factor: boolean
    second_factor_needed: boolean
    user: Schemas["UserOut"]
  }
  SetUp: {
    password: string
    token: string
    username: string
  }
  SetupState: {
    needed: boolean
  }
  ShellIn: {
    purpose?: string
  }
  SignForm: {
    note?: string
  }
  SignIn: {
    code?: string | null
    password: string
    username: string
  }
  SignedHead: {
    at: string
    checkpoint: number
    hash: string
    key_id: number | null
    public_key: string | null
    seq: number
    signature: string | null
    signed: boolean
  }
  SnapshotOptions: {
    description?: string
    memory?: boolean
    name: string
    start?: boolean
  }
  Summary: {
    consoles: Schemas["ConsoleCounts"]
    hosts: Schemas["HostCounts"]
    jobs: Schemas["JobCounts"]
    pharmacies: Schemas["PharmacyCounts"]
    vms: Schemas["VmCounts"]
  }
  SyncAnswer: {
    requested: number
  }
  TargetsIn: {
    filter?: Schemas["FilterIn"] | null
    vms?: Schemas["VmIn"][] | null
  }
  TargetsView: {
    filter: Schemas["VmFilter"] | null
    vms: Schemas["GuestView"][] | null
  }
  TaskLogView: {
    lines: string[]
    total: number
    upid: string
  }
  TaskRef: {
    item_id: number
    job_id: number
    started_at: string | null
    state: string
    verb: string
  }
  Ticket: {
    expires_at: string
    kind?: "screen" | "terminal" | "shell"
    mode?: "control" | "view"
    session_id: string
    session_key?: string
    starts?: boolean
    websocket_url: string
  }
  TokenIn: {
    days: number
    name: string
    paths?: string[] | null
    privileges?: Schemas["Privilege"][] | null
  }
  TokenRow: {
    created_at: string
    expires_at: string | null
    id: number
    last_used: string | null
    name: string
    paths: string[] | null
    privileges: string[] | null
  }
  UpcomingRun: {
    at: string
    day: string
    holiday: string | null
    pharmacies: number | null
  }
  UserIn: {
    display_name: string
    grants?: Schemas["GrantIn"][]
    lang?: "ko" | "en"
    name: string
  }
  UserOut: {
    display_name: string
    id: number
    lang: string
    name: string
  }
  UserPut: {
    disabled: boolean
    display_name: string
    lang: "ko" | "en"
  }
  UserRow: {
    created_at: string | null
    disabled: boolean
    display_name: string
    grants: Schemas["GrantRow"][]
    id: number
    invited: boolean
    lang: string
    name: string
    second_factor: boolean
    sessions: number
    signed_in_at: string | null
    tokens: number
  }
  Verdict: {
    code: string
    params?: Record<string, string | number | boolean | null>
  }
  Viewer: {
    kind: "screen" | "terminal" | "shell"
    mode: "control" | "view"
    name: string
    phase: "starting" | "connecting" | "open"
    session_key: string
    since: string
    user_id: number | null
    wants: "control" | "view"
  }
  VmCounts: {
    missing?: number
    running?: number
    running_confirmed?: number
    running_last_known?: number
    stopped?: number
    suspended?: number
    total?: number
    types?: Record<string, number>
    unknown?: number
  }
  VmFilter: {
    group_id?: number[]
    host_id?: number[]
    host_status?: ("online" | "offline" | "maintenance")[]
    missing?: boolean | null
    pharmacy_id?: number[]
    q?: string
    status?: ("running" | "stopped" | "suspended" | "unknown")[]
    tag?: string[]
    type?: ("kiosk" | "pos" | "server" | "backup" | "other")[]
  }
  VmIn: {
    host_id: number
    vmid: number
  }
  VmPatch: {
    description?: string | null
    ip_address?: string | null
    vm_type?: "kiosk" | "pos" | "server" | "backup" | "other" | null
  }
  VmRow: {
    console: "vnc" | "none" | "unknown"
    cpu: number | null
    cpu_cores: number | null
    description: string
    disk_gb: number | null
    guest_type: "qemu" | "lxc"
    host_id: number
    host_status: "online" | "offline" | "maintenance"
    id: number
    ip_address: string | null
    ip_source: "agent" | "lxc" | "hand" | null
    last_sync: string
    lock: string | null
    memory_mb: number | null
    memory_used_mb: number | null
    missing_since: string | null
    node_name: string
    pharmacy_id: number
    pharmacy_name: string
    pve_status: string
    stale: boolean
    status: "running" | "stopped" | "suspended" | "unknown"
    tags: string[]
    task: Schemas["TaskRef"] | null
    template: boolean
    uptime_s: number | null
    vm_name: string
    vm_type: "kiosk" | "pos" | "server" | "backup" | "other"
    vm_type_source: "tag" | "rule" | "hand" | "default"
    vmid: number
  }
  Weekly: {
    days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun" | unknown)[]
    kind: "weekly"
    times: (string | unknown)[]
  }
  When: {
    closed?: "run" | "skip"
    except?: (string | unknown)[]
    from?: string | null
    holidays?: "run" | "skip" | "only"
    rule: Schemas["Weekly"] | Schemas["Cron"] | Schemas["Around"]
    until?: string | null
    zone?: string
  }
  access_sessions_SessionRow: {
    created_at: string
    current: boolean
    expires_at: string
    key: string
    last_seen: string
    locked: boolean
    source: string | null
    user_agent: string | null
  }
  consoles_model_SessionRow: {
    actor_name: string
    bytes_down: number
    bytes_up: number
    created_at: string
    host_id: number
    kind?: "screen" | "terminal" | "shell"
    mode?: "control" | "view"
    opened_at: string | null
    pharmacy_id: number
    pharmacy_name: string
    phase?: "starting" | "connecting" | "open"
    purpose?: string
    rate: number
    session_key: string
    state: "issued" | "opening" | "open" | "closed"
    user_id: number | null
    vm_id: number
    vm_name: string
    vmid: number
    wants?: "control" | "view"
  }
  jobs_routes_Accepted: {
    job: Schemas["JobView"]
  }
  provisioning_model_Accepted: {
    accepted: number
    refused: Schemas["Refusal"][]
  }
}
