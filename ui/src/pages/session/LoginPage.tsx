import { PasswordInput, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { api, ApiError } from '@/api/client'
import { signIn } from '@/app/session'
import { t } from '@/i18n'
import { Failure } from '@/parts/Failure'

import { Gate } from './Gate'

/** Only a path of our own may follow the sign-in: never another origin. */
const safeNext = (next: string | undefined): string => (next && /^\/(?![/\\])/.test(next) ? next : '/')

export function LoginPage() {
  const { next } = useSearch({ from: '/login' })
  const navigate = useNavigate()
  const setup = useQuery({ queryKey: ['setup'], queryFn: () => api.get<{ needed: boolean }>('/api/setup') })
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState<string | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  if (setup.data?.needed) return <Navigate to="/setup" search={{}} />
  const submit = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await signIn(username, password, code ?? undefined)
      await navigate({ href: safeNext(next) })
    } catch (caught) {
      const about = caught instanceof ApiError ? caught.code : ''
      if (about === 'session.code_required') setCode('')
      else setError(caught)
      if (about === 'session.code_refused') setCode('')
      else if (about !== 'session.code_required') {
        setPassword('')
        setCode(null)
      }
    } finally {
      setBusy(false)
    }
  }
  return (
    <Gate title={t('login.title')}>
      <form onSubmit={(event) => void submit(event)}>
        <Failure error={error} />
        {code === null ? <><TextInput label={t('login.username')} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required autoFocus value={username} onChange={(e) => setUsername(e.currentTarget.value)} />
        <PasswordInput label={t('login.password')} name="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} /></>
          : <TextInput label={t('login.code')} description={t('login.code_hint')} name="code" autoComplete="one-time-code" spellCheck={false} required autoFocus value={code} onChange={(e) => setCode(e.currentTarget.value)} />}
        <button type="submit" className="btn main big" disabled={busy}>{t('login.submit')}</button>
        {code !== null && <button type="button" className="link small" onClick={() => {
          setCode(null)
          setPassword('')
          setError(undefined)
        }}>{t('login.back')}</button>}
      </form>
    </Gate>
  )
}
