/** Every address of the UI. Pages load on demand; filters, sort and the open item live in the search part. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'

import { queryClient } from './query'
import { sessionQuery } from './session'
import { Shell } from './Shell'
import { NotFound, PageError } from './status-pages'

const text = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : typeof value === 'number' ? String(value) : undefined)
/** A repeatable filter is one comma-separated word in the address: readable, and one key each. */
const words = (value: unknown): string | undefined => text(Array.isArray(value) ? value.join(',') : value)
const whole = (value: unknown): number | undefined => {
  const n = Number(value)
  return value !== undefined && value !== '' && Number.isSafeInteger(n) && n > 0 ? n : undefined
}
const flag = (value: unknown): true | undefined => (value === true || value === 'true' || value === 1 || value === '1' ? true : undefined)

type Search = Record<string, unknown>
/** Every part of a page's search may be missing; what is missing does not stand in the address. */
const some = <T extends object>(read: (search: Search) => T) => (search: Search): Partial<T> =>
  Object.fromEntries(Object.entries(read(search)).filter(([, value]) => value !== undefined)) as Partial<T>

const date = (value: unknown): string | undefined => (/^20\d\d-\d\d-\d\d$/.test(String(value)) ? String(value) : undefined)
/** How both histories are searched. `before`: only rows with a smaller number. */
const history = (s: Search) => ({
  kind: words(s.kind), person: text(s.person), pharmacy_id: whole(s.pharmacy_id), host_id: whole(s.host_id), vm_id: whole(s.vm_id),
  from: date(s.from), to: date(s.to), before: whole(s.before),
})

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: PageError })

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: some((s) => ({ next: text(s.next) })),
  component: lazyRouteComponent(() => import('@/pages/session/LoginPage'), 'LoginPage'),
})
const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: some((s) => ({ token: text(s.token) })),
  component: lazyRouteComponent(() => import('@/pages/session/SetupPage'), 'SetupPage'),
})

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyRouteComponent(() => import('@/pages/session/InvitePage'), 'InvitePage'),
})
const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  component: lazyRouteComponent(() => import('@/pages/session/SecondFactorPage'), 'SecondFactorPage'),
})

/** Nobody enters unknown; after the sign-in one is where one wanted to go. */
const signedIn = async ({ location }: { location: { href: string } }) => {
  const session = await queryClient.ensureQueryData(sessionQuery)
  if (!session) throw redirect({ to: '/login', search: { next: location.href === '/' ? undefined : location.href } })
  if (session.second_factor_needed && !session.locked) throw redirect({ to: '/second-factor' })
}

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  beforeLoad: signedIn,
})
/** One console in a window of its own: no navigation around it. */
const screen = createRoute({
  getParentRoute: () => root,
  path: '/screen/$at',
  beforeLoad: signedIn,
  component: lazyRouteComponent(() => import('@/pages/consoles/ScreenPage'), 'ScreenPage'),
})

const dashboard = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: lazyRouteComponent(() => import('@/pages/dashboard/DashboardPage'), 'DashboardPage'),
})
const pharmacies = createRoute({
  getParentRoute: () => app,
  path: '/pharmacies',
  validateSearch: some((s) => ({ q: text(s.q), state: words(s.state), opening: words(s.opening), group_id: whole(s.group_id), sort: text(s.sort), add: flag(s.add) })),
  component: lazyRouteComponent(() => import('@/pages/pharmacies/PharmaciesPage'), 'PharmaciesPage'),
})
const pharmacy = createRoute({
  getParentRoute: () => app,
  path: '/pharmacies/$pharmacyId',
  params: { parse: (p) => ({ pharmacyId: Number(p.pharmacyId) }), stringify: (p) => ({ pharmacyId: String(p.pharmacyId) }) },
  validateSearch: some((s) => ({ edit: flag(s.edit) })),
  component: lazyRouteComponent(() => import('@/pages/pharmacies/PharmacyPage'), 'PharmacyPage'),
})
const hosts = createRoute({
  getParentRoute: () => app,
  path: '/hosts',
  validateSearch: some((s) => ({ q: text(s.q), status: words(s.status), reason: words(s.reason), sort: text(s.sort), add: flag(s.add), pharmacy_id: whole(s.pharmacy_id) })),
  component: lazyRouteComponent(() => import('@/pages/hosts/HostsPage'), 'HostsPage'),
})
const host = createRoute({
  getParentRoute: () => app,
  path: '/hosts/$hostId',
  params: { parse: (p) => ({ hostId: Number(p.hostId) }), stringify: (p) => ({ hostId: String(p.hostId) }) },
  component: lazyRouteComponent(() => import('@/pages/hosts/HostPage'), 'HostPage'),
})
const enrol = createRoute({
  getParentRoute: () => app,
  path: '/enrol',
  component: lazyRouteComponent(() => import('@/pages/hosts/EnrolPage'), 'EnrolPage'),
})
const vms = createRoute({
  getParentRoute: () => app,
  path: '/vms',
  validateSearch: some((s) => ({
    q: text(s.q), pharmacy_id: whole(s.pharmacy_id), group_id: whole(s.group_id), type: words(s.type), status: words(s.status),
    host_status: words(s.host_status), tag: words(s.tag), sort: text(s.sort), view: text(s.view), vm: whole(s.vm),
  })),
  component: lazyRouteComponent(() => import('@/pages/vms/VmsPage'), 'VmsPage'),
})
const consoles = createRoute({
  getParentRoute: () => app,
  path: '/consoles',
  validateSearch: some((s) => ({ vm: whole(s.vm), at: text(s.at), tiles: whole(s.tiles) })),
  component: lazyRouteComponent(() => import('@/pages/consoles/ConsolesPage'), 'ConsolesPage'),
})
const jobs = createRoute({
  getParentRoute: () => app,
  path: '/jobs',
  validateSearch: some((s) => ({ job: whole(s.job), state: words(s.state), item: text(s.item) })),
  component: lazyRouteComponent(() => import('@/pages/jobs/JobsPage'), 'JobsPage'),
})
/** Which VMs, as the forms of jobs and schedules take them from an address. */
const targets = (s: Search) => ({
  vms: words(s.vms), choice: text(s.choice), pharmacy_id: words(s.pharmacy_id), group_id: words(s.group_id), host_id: words(s.host_id), type: words(s.type), status: words(s.status),
  host_status: words(s.host_status), tag: words(s.tag), q: text(s.q), all: flag(s.all),
})
const newJob = createRoute({
  getParentRoute: () => app,
  path: '/jobs/new',
  validateSearch: some((s) => ({ verb: text(s.verb), ...targets(s) })),
  component: lazyRouteComponent(() => import('@/pages/jobs/NewJobPage'), 'NewJobPage'),
})
const onboot = createRoute({
  getParentRoute: () => app,
  path: '/jobs/onboot',
  validateSearch: some((s) => ({ pharmacy_id: whole(s.pharmacy_id) })),
  component: lazyRouteComponent(() => import('@/pages/jobs/OnbootPage'), 'OnbootPage'),
})
const schedules = createRoute({
  getParentRoute: () => app,
  path: '/schedules',
  validateSearch: some((s) => ({ schedule: whole(s.schedule) })),
  component: lazyRouteComponent(() => import('@/pages/schedules/SchedulesPage'), 'SchedulesPage'),
})
const newSchedule = createRoute({
  getParentRoute: () => app,
  path: '/schedules/new',
  validateSearch: some((s) => ({ verb: text(s.verb), copy: whole(s.copy), ...targets(s) })),
  component: lazyRouteComponent(() => import('@/pages/schedules/FormPage'), 'NewSchedulePage'),
})
const editSchedule = createRoute({
  getParentRoute: () => app,
  path: '/schedules/$scheduleId/edit',
  params: { parse: (p) => ({ scheduleId: Number(p.scheduleId) }), stringify: (p) => ({ scheduleId: String(p.scheduleId) }) },
  component: lazyRouteComponent(() => import('@/pages/schedules/FormPage'), 'EditSchedulePage'),
})
const calendar = createRoute({
  getParentRoute: () => app,
  path: '/schedules/calendar',
  validateSearch: some((s) => ({ from: text(s.from) })),
  component: lazyRouteComponent(() => import('@/pages/schedules/CalendarPage'), 'CalendarPage'),
})
const events = createRoute({
  getParentRoute: () => app,
  path: '/events',
  validateSearch: some(history),
  component: lazyRouteComponent(() => import('@/pages/events/EventsPage'), 'EventsPage'),
})
const audit = createRoute({
  getParentRoute: () => app,
  path: '/events/audit',
  validateSearch: some((s) => ({ ...history(s), part: text(s.part), actor: whole(s.actor), by: words(s.by), outcome: words(s.outcome), act: whole(s.act), month: text(s.month) })),
  component: lazyRouteComponent(() => import('@/pages/audit/AuditPage'), 'AuditPage'),
})
const settings = createRoute({
  getParentRoute: () => app,
  path: '/settings',
  validateSearch: some((s) => ({ part: text(s.part), user: whole(s.user), state: words(s.state), hosts: words(s.hosts) })),
  component: lazyRouteComponent(() => import('@/pages/settings/SettingsPage'), 'SettingsPage'),
})

const routeTree = root.addChildren([
  login,
  setup,
  invite,
  secondFactor,
  screen,
  app.addChildren([dashboard, pharmacies, pharmacy, hosts, host, enrol, vms, consoles, jobs, newJob, onboot, schedules, newSchedule, editSchedule, calendar, events, audit, settings]),
])

export const router = createRouter({ routeTree, defaultPreload: 'intent', defaultPreloadDelay: 80, defaultErrorComponent: PageError, scrollRestoration: true })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
