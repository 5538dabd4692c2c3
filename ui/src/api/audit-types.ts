/** The shapes of the audit and of service accounts, straight from the server's document. */
import type { Schemas } from './schema'

/** An answer always has every field, also those with a default. */
type Answer<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

export type AuditRow = Schemas['AuditRow']
export type CheckState = Schemas['CheckState']
export type CheckReport = Schemas['Report']
export type Finding = Answer<Schemas['Finding']>
export type SignedHead = Schemas['SignedHead']
export type RetentionState = Schemas['RetentionState']
export type ForwardState = Schemas['ForwardState']
export type ReviewMonth = Schemas['ReviewMonth']
export type ReviewReport = Answer<Schemas['ReviewReport']>
export type BreachPack = Schemas['BreachPack']
export type AccountRow = Answer<Schemas['AccountRow']>
export type AccountsReport = Schemas['AccountsReport']
export type AccountState = AccountRow['state']
export type Accepted = Schemas['provisioning_model_Accepted']
