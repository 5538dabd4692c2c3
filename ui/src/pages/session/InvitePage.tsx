import { PasswordInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import { acceptInvitation } from '@/app/session'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'

import { Gate } from './Gate'

/** By the link that an administrator handed over. The token stands behind the "#" and is sent in a body only. */
export function InvitePage() {
  const navigate = useNavigate()
  const [token] = useState(() => location.hash.replace(/^#/, ''))
  const who = useQuery({ queryKey: ['invitation'], retry: false, queryFn: () => api.post<{ name: string; display_name: string }>('/api/invitation', { token }) })
  const [password, setPassword] = useState('')
  const [repeat, setRepeat] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const differ = repeat !== '' && repeat !== password
  const submit = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (password !== repeat) return
    setBusy(true)
    setError(undefined)
    try {
      await acceptInvitation(token, password)
      await navigate({ to: '/' })
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Gate title={t('invite.title')}>
      <Failure error={who.error} />
      {who.data && (
        <form onSubmit={(event) => void submit(event)}>
          <p className="t2">{t('invite.hello', { name: who.data.display_name })}</p>
          <Failure error={error} />
          <input type="text" className="sr" aria-hidden="true" tabIndex={-1} autoComplete="username" readOnly value={who.data.name} />
          <PasswordInput label={t('login.password')} description={t('invite.rule')} required autoComplete="new-password" value={password} error={fieldError(error, 'password')} onChange={(event) => setPassword(event.currentTarget.value)} />
          <PasswordInput label={t('setup.repeat')} required autoComplete="new-password" value={repeat} error={differ ? t('setup.mismatch') : undefined} onChange={(event) => setRepeat(event.currentTarget.value)} />
          <button type="submit" className="btn main big" disabled={busy || differ}>{t('invite.submit')}</button>
        </form>
      )}
    </Gate>
  )
}
