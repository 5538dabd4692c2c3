import { NumberInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import { t, tMaybe } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'

type Values = Record<string, number | string | boolean>
/** Stand on pages of their own: the security policy, service accounts, the audit. */
const POLICY = new Set(['lock_minutes', 'reauth_minutes', 'invitation_hours', 'rotate_days', 'keep_access_days', 'keep_grants_days'])

/** Numbers that may change while PharmQ runs; the server knows their bounds and says so by field. */
export function Runtime() {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['settings'], queryFn: () => api.get<Values>('/api/settings') })
  const [draft, setDraft] = useState<Values>({})
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const values = { ...query.data, ...draft }
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await api.put('/api/settings', values)
      setDraft({})
      await client.invalidateQueries({ queryKey: ['settings'] })
      notifyDone(t('settings.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="panel" aria-labelledby="runtime-title">
      <header><h2 id="runtime-title">{t('settings.runtime')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => void save(event)}>
        <Failure error={query.error ?? error} />
        <div className="settings-grid">
          {Object.entries(values).filter(([key, value]) => typeof value === 'number' && !POLICY.has(key)).map(([key, value]) => (
            <NumberInput key={key} label={tMaybe(`setting.${key}`) ?? key} value={value as number} hideControls error={fieldError(error, key)} onChange={(next) => setDraft((before) => ({ ...before, [key]: typeof next === 'number' ? next : Number(next) }))} />
          ))}
        </div>
        <div className="form-foot"><button type="submit" className="btn main" disabled={busy || Object.keys(draft).length === 0}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
