/** Navigation, top bar and what floats above every page. Consoles and dialogs live here, outside the router's outlet. */
import { Menu } from '@mantine/core'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'

import { LockScreen, useIdleLock } from '@/access/LockScreen'
import { Reauth } from '@/access/Reauth'
import { ConsoleLayer } from '@/consoles/ConsoleLayer'
import { useNames } from '@/consoles/names'
import { searchOf } from '@/consoles/place'
import { useConsoleTabs, type ConsoleTab } from '@/consoles/tabs'
import { t, type MessageKey } from '@/i18n'
import { count } from '@/i18n/format'
import { useSummary } from '@/live/store'
import { Icon, Sign, type IconName, type SignName } from '@/parts/Icon'
import { PowerLayer } from '@/power/PowerLayer'

import { Palette } from './Palette'
import { sessionQuery } from './session'
import { TopBar } from './TopBar'

import './shell.css'

export interface NavItem {
  to: '/' | '/pharmacies' | '/hosts' | '/vms' | '/consoles' | '/jobs' | '/events' | '/settings'
  icon: IconName
  label: MessageKey
  /** Stands for these addresses too. */
  also?: string
  /** A phone's bar has room for five: these go behind 더 보기 there. */
  behind?: true
}
const NAV: readonly (readonly NavItem[])[] = [
  [{ to: '/', icon: 'dashboard', label: 'nav.dashboard' }],
  [
    { to: '/pharmacies', icon: 'pharmacy', label: 'nav.pharmacies' },
    { to: '/hosts', icon: 'host', label: 'nav.hosts', behind: true },
    { to: '/vms', icon: 'vms', label: 'nav.vms' },
    { to: '/consoles', icon: 'screen', label: 'nav.consoles' },
  ],
  [
    { to: '/jobs', icon: 'clock', label: 'nav.jobs', also: '/schedules', behind: true },
    { to: '/events', icon: 'events', label: 'nav.events', behind: true },
  ],
]
const SETTINGS: NavItem = { to: '/settings', icon: 'settings', label: 'nav.settings', behind: true }
export const PAGES: readonly NavItem[] = [...NAV.flat(), SETTINGS]
const BEHIND = PAGES.filter((item) => item.behind)

function useCounts(): Partial<Record<NavItem['to'], number>> {
  const summary = useSummary()
  const consoles = useConsoleTabs()
  if (!summary) return {}
  return {
    '/pharmacies': summary.pharmacies.total,
    '/hosts': summary.hosts.total,
    '/vms': summary.vms.total,
    '/jobs': summary.jobs.running || undefined,
    '/consoles': consoles.length || undefined,
  }
}

const CONSOLE_SIGN: Record<ConsoleTab['state'], [SignName, string]> = {
  starting: ['turning', 'stop'],
  connecting: ['turning', 'stop'],
  connected: ['running', 'run'],
  view_only: ['running', 'run'],
  reconnecting: ['turning', 'stop'],
  lost: ['cross', 'off'],
}

function OpenConsole({ tab }: { tab: ConsoleTab }) {
  const { pharmacy, name } = useNames(tab)
  const [sign, tone] = CONSOLE_SIGN[tab.state]
  return (
    <li>
      <Link to="/consoles" search={searchOf(tab.key)} className="nav-console">
        <span className={tone}><Sign name={sign} /></span>
        <span className="ellipsis">{name}</span>
        <span className="small t3 ellipsis">{pharmacy} · {t(`console.state.${tab.state}`)}</span>
      </Link>
    </li>
  )
}

function NavLink({ item, n }: { item: NavItem; n: number | undefined }) {
  const also = useLocation({ select: (location) => item.also !== undefined && location.pathname.startsWith(item.also) })
  return (
    <li className={item.behind ? 'nav-behind' : undefined}>
      <Link to={item.to} className={also ? 'nav-item active' : 'nav-item'} activeOptions={{ exact: item.to === '/', includeSearch: false }} activeProps={{ className: 'nav-item active' }} title={t(item.label)}>
        <Icon name={item.icon} />
        <span className="nav-word">{t(item.label)}</span>
        {n !== undefined && <span className="nav-count">{count(n)}</span>}
      </Link>
    </li>
  )
}

function More() {
  const here = useLocation({ select: ({ pathname }) => BEHIND.some((item) => pathname.startsWith(item.to) || (item.also && pathname.startsWith(item.also))) })
  return (
    <ul className="nav-more">
      <li>
        <Menu position="top-end" width={200}>
          <Menu.Target><button type="button" className={here ? 'nav-item active' : 'nav-item'}><Icon name="more" /><span className="nav-word">{t('nav.more')}</span></button></Menu.Target>
          <Menu.Dropdown>
            {BEHIND.map((item) => <Menu.Item key={item.to} leftSection={<Icon name={item.icon} />} renderRoot={(props) => <Link {...props} to={item.to} />}>{t(item.label)}</Menu.Item>)}
          </Menu.Dropdown>
        </Menu>
      </li>
    </ul>
  )
}

export function Shell() {
  const { data: session } = useSuspenseQuery(sessionQuery)
  if (session?.locked) return <LockScreen session={session} />
  return <Unlocked lockMinutes={session?.lock_minutes ?? 0} />
}

function Unlocked({ lockMinutes }: { lockMinutes: number }) {
  useIdleLock(lockMinutes)
  const counts = useCounts()
  const consoles = useConsoleTabs()
  const narrow = useLocation({ select: (location) => location.pathname === '/consoles' })
  return (
    <div className={narrow ? 'shell narrow' : 'shell'}>
      <a className="skip" href="#content">{t('nav.skip')}</a>
      <nav className="nav" aria-label={t('nav.label')}>
        <Link to="/" className="brand" aria-label="PharmQ"><span className="brand-mark"><Icon name="plus" /></span><span className="nav-word">PharmQ</span></Link>
        {NAV.map((group) => (
          <ul key={group[0]!.to}>{group.map((item) => <NavLink key={item.to} item={item} n={counts[item.to]} />)}</ul>
        ))}
        {consoles.length > 0 && !narrow && (
          <section className="nav-consoles" aria-label={t('nav.open_consoles')}>
            <h2><span>{t('nav.open_consoles')}</span><span>{consoles.length}</span></h2>
            <ul>{consoles.map((tab) => <OpenConsole key={tab.key} tab={tab} />)}</ul>
          </section>
        )}
        <ul className="nav-foot"><NavLink item={SETTINGS} n={undefined} /></ul>
        <More />
      </nav>
      <TopBar />
      <div className="content" id="content" tabIndex={-1}><Outlet /></div>
      <ConsoleLayer />
      <PowerLayer />
      <Palette />
      <Reauth />
    </div>
  )
}
