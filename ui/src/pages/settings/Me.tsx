import { PasswordInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { RecoveryCodes, RegisterApp } from '@/access/SecondFactor'
import { api } from '@/api/client'
import type { OwnSecurity } from '@/api/access-types'
import { t } from '@/i18n'
import { dayAndTime } from '@/i18n/format'
import { Confirm } from '@/parts/Confirm'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'
import { State } from '@/parts/State'

import { SessionList } from './SessionList'
import { TokenList } from './TokenList'

function SecondFactor() {
  const client = useQueryClient()
  const own = useQuery({ queryKey: ['me'], queryFn: () => api.get<OwnSecurity>('/api/me') })
  const [removing, setRemoving] = useState(false)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const [error, setError] = useState<unknown>()
  const fresh = () => {
    setCodes(null)
    void client.invalidateQueries({ queryKey: ['me'] })
    void client.invalidateQueries({ queryKey: ['session'] })
  }
  const renew = async () => {
    setError(undefined)
    try {
      setCodes((await api.post<{ recovery_codes: string[] }>('/api/me/recovery-codes')).recovery_codes)
    } catch (caught) {
      setError(caught)
    }
  }
  const since = own.data?.second_factor_at
  return (
    <section className="panel" aria-labelledby="tfa-title">
      <header>
        <h2 id="tfa-title">{t('tfa.title')}</h2>
        {own.data && (since ? <State sign="ok" tone="run">{t('tfa.on')}</State> : <State sign="unknown" tone="stop">{t('tfa.off')}</State>)}
      </header>
      <div className="panel-body form">
        <Failure error={own.error ?? error} />
        {own.data && !since && <RegisterApp onDone={fresh} />}
        {since && codes && <RecoveryCodes codes={codes} onKept={fresh} />}
        {since && !codes && (
          <>
            <p className="t2">{t('tfa.since', { at: dayAndTime(since) })} · {t('tfa.codes_left', { n: own.data?.recovery_codes_left ?? 0 })}</p>
            <div className="row-flex">
              <button type="button" className="btn" onClick={() => void renew()}>{t('tfa.renew')}</button>
              <button type="button" className="btn" onClick={() => setRemoving(true)}>{t('tfa.remove')}</button>
            </div>
          </>
        )}
      </div>
      {removing && <Confirm title={t('tfa.remove_ask')} detail={t('tfa.remove_cost')} button={t('tfa.remove')} onClose={() => setRemoving(false)} act={async () => {
        await api.delete('/api/me/second-factor')
        fresh()
      }} />}
    </section>
  )
}

function Password() {
  const client = useQueryClient()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await api.post('/api/me/password', { old, new: fresh })
      setOld('')
      setFresh('')
      notifyDone(t('me.password_done'))
      void client.invalidateQueries({ queryKey: ['me', 'sessions'] })
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="panel" aria-labelledby="password-title">
      <header><h2 id="password-title">{t('me.password')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => void save(event)}>
        <Failure error={error} />
        <div className="form-two level">
          <PasswordInput label={t('me.old')} required autoComplete="current-password" value={old} onChange={(event) => setOld(event.currentTarget.value)} />
          <PasswordInput label={t('me.new')} description={t('invite.rule')} required autoComplete="new-password" value={fresh} error={fieldError(error, 'new')} onChange={(event) => setFresh(event.currentTarget.value)} />
        </div>
        <div className="form-foot"><button type="submit" className="btn main" disabled={busy}>{t('me.password')}</button></div>
      </form>
    </section>
  )
}

/** One's own security: second factor, password, sessions, API tokens. */
export function Me() {
  return (
    <>
      <SecondFactor />
      <Password />
      <SessionList of="me" />
      <TokenList of="me" />
    </>
  )
}
