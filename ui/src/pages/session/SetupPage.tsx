import { PasswordInput, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { setUp } from '@/app/session'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'

import { Gate } from './Gate'

export function SetupPage() {
  const search = useSearch({ from: '/setup' })
  const navigate = useNavigate()
  const [token, setToken] = useState(search.token ?? location.hash.replace(/^#(token=)?/, ''))
  const [username, setUsername] = useState('admin')
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
      await setUp(token, username, password)
      await navigate({ to: '/' })
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Gate title={t('setup.title')}>
      <p className="t2">{t('setup.intro')}</p>
      <form onSubmit={(event) => void submit(event)}>
        <Failure error={error} />
        <TextInput label={t('setup.token')} required value={token} onChange={(e) => setToken(e.currentTarget.value)} error={fieldError(error, 'token')} spellCheck={false} autoComplete="off" />
        <TextInput label={t('login.username')} required autoComplete="username" autoCapitalize="none" value={username} onChange={(e) => setUsername(e.currentTarget.value)} error={fieldError(error, 'username')} />
        <PasswordInput label={t('login.password')} description={t('setup.password_rule')} required autoComplete="new-password" value={password} onChange={(e) => setPassword(e.currentTarget.value)} error={fieldError(error, 'password')} />
        <PasswordInput label={t('setup.repeat')} required autoComplete="new-password" value={repeat} onChange={(e) => setRepeat(e.currentTarget.value)} error={differ ? t('setup.mismatch') : undefined} />
        <button type="submit" className="btn main big" disabled={busy || differ}>{t('setup.submit')}</button>
      </form>
    </Gate>
  )
}
