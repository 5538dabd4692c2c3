import { Link, useSearch } from '@tanstack/react-router'

import { useMay } from '@/consoles/may'
import { t, type MessageKey } from '@/i18n'
import { HistoryTabs } from '@/pages/events/HistoryParts'

import { Acts } from './Acts'
import { Breach } from './Breach'
import { Erase } from './Erase'
import { Proof } from './Proof'
import { Review } from './Review'

import '@/access/access.css'
import '@/pages/events/events.css'
import './audit.css'

interface Part {
  key: string
  label: MessageKey
  needs: string
  Page: () => React.ReactNode
}
const PARTS: readonly Part[] = [
  { key: 'acts', label: 'audit.part.acts', needs: 'audit.read', Page: Acts },
  { key: 'proof', label: 'audit.part.proof', needs: 'audit.read', Page: Proof },
  { key: 'review', label: 'audit.part.review', needs: 'audit.read', Page: Review },
  { key: 'breach', label: 'audit.part.breach', needs: 'export', Page: Breach },
  { key: 'erase', label: 'audit.part.erase', needs: 'access.edit', Page: Erase },
]

export function AuditPage() {
  const { part } = useSearch({ from: '/app/events/audit' })
  const may = { 'audit.read': useMay('audit.read'), export: useMay('export'), 'access.edit': useMay('access.edit') }
  const parts = may['audit.read'] ? PARTS.filter((one) => may[one.needs as keyof typeof may]) : []
  const shown = parts.find((one) => one.key === part) ?? parts[0]
  return (
    <main className="page audit">
      <div className="page-head"><h1>{t('history.audit')}</h1><HistoryTabs shown="audit" /></div>
      {shown ? (
        <>
          <nav className="settings-parts" aria-label={t('audit.parts')}>
            {parts.map((one) => <Link key={one.key} to="/events/audit" search={one.key === 'acts' ? {} : { part: one.key }} className={one === shown ? 'chip on' : 'chip'} aria-current={one === shown ? 'page' : undefined}>{t(one.label)}</Link>)}
          </nav>
          <shown.Page />
        </>
      ) : <p className="panel empty">{t('audit.not_allowed')}</p>}
    </main>
  )
}
