import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'

import { sessionQuery } from '@/app/session'
import { t, type MessageKey } from '@/i18n'

import { Accounts } from './Accounts'
import { Credentials } from './Credentials'
import { Groups } from './Groups'
import { KindRules } from './KindRules'
import { Me } from './Me'
import { Policy } from './Policy'
import { Roles } from './Roles'
import { Runtime } from './Runtime'
import { Users } from './Users'

import '@/access/access.css'
import './settings.css'

function General() {
  return (
    <>
      <Credentials />
      <Groups />
      <KindRules />
      <Runtime />
    </>
  )
}

interface Part {
  key: string
  label: MessageKey
  /** Shown to those who hold one of these somewhere; without: to everybody. */
  needs?: readonly string[]
  Page: () => React.ReactNode
}
const PARTS: readonly Part[] = [
  { key: 'general', label: 'settings.part.general', needs: ['settings.edit', 'credential.edit', 'pharmacy.edit', 'host.edit'], Page: General },
  { key: 'accounts', label: 'settings.part.accounts', needs: ['credential.edit'], Page: Accounts },
  { key: 'users', label: 'settings.part.users', needs: ['access.edit'], Page: Users },
  { key: 'roles', label: 'settings.part.roles', needs: ['access.edit'], Page: Roles },
  { key: 'policy', label: 'settings.part.policy', needs: ['settings.edit'], Page: Policy },
  { key: 'me', label: 'settings.part.me', Page: Me },
]

export function SettingsPage() {
  const { part } = useSearch({ from: '/app/settings' })
  const { data: session } = useSuspenseQuery(sessionQuery)
  const held = new Set(session?.privileges)
  const parts = PARTS.filter((one) => !one.needs || one.needs.some((key) => held.has(key)))
  const shown = parts.find((one) => one.key === part) ?? parts[0]!
  return (
    <main className="page settings">
      <div className="page-head"><h1>{t('nav.settings')}</h1></div>
      <nav className="settings-parts" aria-label={t('settings.parts')}>
        {parts.map((one) => <Link key={one.key} to="/settings" search={one.key === parts[0]!.key ? {} : { part: one.key }} className={one === shown ? 'chip on' : 'chip'} aria-current={one === shown ? 'page' : undefined}>{t(one.label)}</Link>)}
      </nav>
      <shown.Page />
    </main>
  )
}
