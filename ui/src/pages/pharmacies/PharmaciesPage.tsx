import { t } from '@/i18n'

export function PharmaciesPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.pharmacies')}</h1></div>
    </main>
  )
}
