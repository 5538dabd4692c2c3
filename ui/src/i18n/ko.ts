/** Korean, the source of every key. One file per area, so that areas grow without meeting. */
import { access } from './ko/access'
import { accounts } from './ko/accounts'
import { audit } from './ko/audit'
import { common } from './ko/common'
import { consoles } from './ko/consoles'
import { fleet } from './ko/fleet'
import { pages } from './ko/pages'
import { schedules } from './ko/schedules'
import { vms } from './ko/vms'

export const ko = { ...common, ...pages, ...vms, ...consoles, ...access, ...fleet, ...schedules, ...audit, ...accounts } as const
