import { access } from './en/access'
import { accounts } from './en/accounts'
import { audit } from './en/audit'
import { common } from './en/common'
import { consoles } from './en/consoles'
import { fleet } from './en/fleet'
import { pages } from './en/pages'
import { schedules } from './en/schedules'
import { vms } from './en/vms'
import type { ko } from './ko'

export const en: Readonly<Record<keyof typeof ko, string>> = { ...common, ...pages, ...vms, ...consoles, ...access, ...fleet, ...schedules, ...audit, ...accounts }
