import { t } from '@/i18n'

export function PharmacyPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.pharmacies')}</h1></div>
    </main>
  )
}
