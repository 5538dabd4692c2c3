import { NumberInput, Switch, Textarea } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'

interface Rules {
  second_factor_required: boolean
  inside_networks: string[]
  lock_minutes: number
  reauth_minutes: number
  invitation_hours: number
}

const NUMBERS = [['lock_minutes', 'policy.lock'], ['reauth_minutes', 'policy.reauth'], ['invitation_hours', 'policy.invitation']] as const

/** Who needs a second factor, where inside is, and for how long things hold. */
export function Policy() {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['settings'], queryFn: () => api.get<Rules>('/api/settings') })
  const [draft, setDraft] = useState<Partial<Rules>>({})
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const set = (change: Partial<Rules>) => setDraft((before) => ({ ...before, ...change }))
  const rules = query.data && { ...query.data, ...draft }
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (!rules) return
    setBusy(true)
    setError(undefined)
    try {
      await api.put('/api/settings', { ...rules, inside_networks: rules.inside_networks.map((one) => one.trim()).filter(Boolean) })
      setDraft({})
      await client.invalidateQueries({ queryKey: ['settings'] })
      await client.invalidateQueries({ queryKey: ['session'] })
      notifyDone(t('settings.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="panel" aria-labelledby="policy-title">
      <header><h2 id="policy-title">{t('policy.title')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => void save(event)}>
        <Failure error={query.error ?? error} />
        {rules && (
          <>
            <Switch label={t('policy.tfa')} checked={rules.second_factor_required} onChange={(event) => set({ second_factor_required: event.currentTarget.checked })} />
            <Textarea label={t('policy.networks')} description={t('policy.networks_why')} autosize minRows={2} spellCheck={false} value={rules.inside_networks.join('\n')} error={fieldError(error, 'inside_networks')} onChange={(event) => set({ inside_networks: event.currentTarget.value.split('\n') })} />
            <div className="settings-grid">
              {NUMBERS.map(([key, label]) => <NumberInput key={key} label={t(label)} hideControls value={rules[key]} error={fieldError(error, key)} onChange={(value) => set({ [key]: Number(value) })} />)}
            </div>
          </>
        )}
        <div className="form-foot"><button type="submit" className="btn main" disabled={busy || Object.keys(draft).length === 0}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
