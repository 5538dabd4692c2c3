import { NumberInput, Switch } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'

interface Rules {
  rotate_days: number
  provision_automatically: boolean
}

/** Rotation by itself, and accounts for new hosts by itself. */
export function AccountPolicy() {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['settings'], queryFn: () => api.get<Rules>('/api/settings') })
  const [draft, setDraft] = useState<Partial<Rules>>({})
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const rules = query.data && { ...query.data, ...draft }
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (!rules) return
    setBusy(true)
    setError(undefined)
    try {
      await api.put('/api/settings', rules)
      setDraft({})
      await Promise.all(['settings', 'accounts', 'accounts-report'].map((key) => client.invalidateQueries({ queryKey: [key] })))
      notifyDone(t('settings.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="panel" aria-labelledby="account-policy-title">
      <header><h2 id="account-policy-title">{t('accounts.policy')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => void save(event)}>
        <Failure error={query.error ?? error} />
        {rules && (
          <>
            <NumberInput className="account-days" label={t('accounts.days')} description={t('accounts.days_why')} hideControls min={0} max={3650} value={rules.rotate_days} error={fieldError(error, 'rotate_days')} onChange={(value) => setDraft((before) => ({ ...before, rotate_days: Number(value) }))} />
            <Switch label={t('accounts.automatic')} checked={rules.provision_automatically} onChange={(event) => {
              const checked = event.currentTarget.checked
              setDraft((before) => ({ ...before, provision_automatically: checked }))
            }} />
          </>
        )}
        <div className="form-foot"><button type="submit" className="btn main" disabled={busy || Object.keys(draft).length === 0}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
