import { t } from '@/i18n'

export function ConsolesPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.consoles')}</h1></div>
    </main>
  )
}
