/** The shapes of people and access. Times are RFC 3339 UTC. */

export interface GrantRow {
  id: number
  /** `/`, `/group/3`, `/pharmacy/7`, `/host/9`, `/vm/12` */
  path: string
  role: string
  role_name: string
}

export interface UserRow {
  id: number
  name: string
  display_name: string
  lang: string
  disabled: boolean
  /** Has not chosen a password yet. */
  invited: boolean
  second_factor: boolean
  created_at: string | null
  signed_in_at: string | null
  sessions: number
  tokens: number
  grants: GrantRow[]
}

export interface RoleRow {
  key: string
  id: number | null
  name: string
  built_in: boolean
  privileges: string[]
  users: number
}

export interface SessionRow {
  key: string
  current: boolean
  created_at: string
  last_seen: string
  expires_at: string
  source: string | null
  user_agent: string | null
  locked: boolean
}

export interface TokenRow {
  id: number
  name: string
  created_at: string
  last_used: string | null
  expires_at: string | null
  /** null: as much as its owner holds. */
  privileges: string[] | null
  paths: string[] | null
}

export interface OwnSecurity {
  second_factor_at: string | null
  second_factor_needed: boolean
  recovery_codes_left: number
  signed_in_at: string | null
}

export interface Enrolment {
  key: string
  uri: string
  /** An SVG document. */
  picture: string
}

export interface KnownSecret {
  kind: 'credential' | 'host' | 'root_password'
  id: number
  name: string
  pharmacy_id: number | null
  at: string
  changed_since: boolean
}

export interface Farewell {
  sessions: number
  tokens: number
  second_factor: boolean
  grants: number
  handed_over: Record<string, number>
  known: KnownSecret[]
}

export interface InvitationOut {
  url: string
  expires_at: string
}
