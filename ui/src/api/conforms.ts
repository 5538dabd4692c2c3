/**
 * Do our hand-written shapes (`types.ts`, which carry the meaning) agree with the server's own document (`schema.ts`)?
 * The compiler answers: an answer of the server must fit ours, a body of ours must fit the server's.
 */
import type * as people from './access-types'
import type * as schedules from './schedule-types'
import type { Schemas } from './schema'
import type * as ours from './types'

/**
 * The server's type as its answers really come: what has a default is always there, and where the document says only
 * "string" our list of words stands (the words are checked where they are made).
 */
type Seen<Server, Ours> = unknown extends Server
  ? Ours
  : Server extends readonly [unknown, ...unknown[]]
    ? Server
    : Server extends readonly (infer One)[]
      ? Ours extends readonly (infer Mine)[]
        ? Seen<One, Mine>[]
        : never
      : Server extends object
        ? { [K in keyof Server]-?: K extends keyof Match<Server, Ours> ? Seen<Exclude<Server[K], undefined>, Match<Server, Ours>[K]> : Server[K] }
        : string extends Server
          ? [Extract<Ours, string>] extends [never]
            ? Server
            : Extract<Ours, string>
          : Server

/** Of several shapes that `kind` tells apart, ours of the same kind. */
type Match<Server, Ours> = Server extends { kind: infer Kind }
  ? [Extract<NonNullable<Ours>, { kind: Kind }>] extends [never]
    ? NonNullable<Ours>
    : Extract<NonNullable<Ours>, { kind: Kind }>
  : NonNullable<Ours>

/** `true` when an answer of the server is one of ours. */
type Answer<Ours, Server> = Seen<Server, Ours> extends Ours ? true : { mismatch: Seen<Server, Ours> }
type All<_Checks extends readonly true[]> = true
type Body<Ours, Server> = Ours extends Server ? true : { mismatch: Ours }

export type Answers = All<[
  Answer<ours.Session, Schemas['SessionOut']>,
  Answer<people.UserRow, Schemas['UserRow']>,
  Answer<people.RoleRow, Schemas['RoleRow']>,
  Answer<people.SessionRow, Schemas['access_sessions_SessionRow']>,
  Answer<people.TokenRow, Schemas['TokenRow']>,
  Answer<people.OwnSecurity, Schemas['OwnSecurity']>,
  Answer<people.Enrolment, Schemas['Enrolment']>,
  Answer<people.Farewell, Schemas['Farewell']>,
  Answer<people.InvitationOut, Schemas['InvitationOut']>,
  Answer<ours.Summary, Schemas['Summary']>,
  Answer<ours.Pharmacy, Schemas['PharmacyRow']>,
  Answer<ours.Group, Schemas['PharmacyGroup']>,
  Answer<ours.Host, Schemas['HostRow']>,
  Answer<ours.Health, Schemas['HealthView']>,
  Answer<ours.Probe, Schemas['ProbeView']>,
  Answer<ours.Credential, Schemas['CredentialRow']>,
  Answer<ours.EnrolmentRow, Schemas['CheckedRow']>,
  Answer<ours.EnrolmentResult, Schemas['EnrolledRow']>,
  Answer<ours.Vm, Schemas['VmRow']>,
  Answer<ours.Job, Schemas['JobView']>,
  Answer<ours.JobItem, Schemas['ItemView']>,
  Answer<ours.DryRun, Schemas['DryRun']>,
  Answer<ours.OnbootRow, Schemas['OnbootRow']>,
  Answer<schedules.Schedule, Schemas['ScheduleView']>,
  Answer<schedules.ScheduleRun, Schemas['RunView']>,
  Answer<schedules.SchedulePreview, Schemas['Preview']>,
  Answer<schedules.Calendar, Schemas['Calendar']>,
  Answer<ours.JournalEvent, Schemas['EventRow']>,
  Answer<ours.SearchHit, Schemas['SearchHit']>,
  Answer<ours.VncSession, Schemas['Ticket']>,
  Answer<ours.Viewers, Schemas['ScreenRow']>,
]>
export type Bodies = All<[Body<ours.PharmacyInput, Schemas['PharmacyForm']>, Body<schedules.ScheduleForm, Schemas['ScheduleForm']>]>
