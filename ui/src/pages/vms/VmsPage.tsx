import { t } from '@/i18n'

export function VmsPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('vms.title')}</h1></div>
    </main>
  )
}
