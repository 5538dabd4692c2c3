/** The locked screen: nothing of what was open is drawn behind it, and the server answers nothing else either. */
import { PasswordInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import type { Session } from '@/api/types'
import { confirmPassword, lockScreen, signOut } from '@/app/session'
import { t } from '@/i18n'
import { Gate } from '@/pages/session/Gate'
import { Failure } from '@/parts/Failure'
import { notifyFailed } from '@/parts/notify'

const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const
const LAST_USED = 'pharmq.last_used'

/** Locks once nobody has used any of this browser's tabs for so many minutes. */
export function useIdleLock(minutes: number): void {
  useEffect(() => {
    if (minutes <= 0) return
    let told = 0
    const used = () => {
      const now = Date.now()
      // Shared between tabs, written a few times a minute at most.
      if (now - told > 5_000) {
        told = now
        localStorage.setItem(LAST_USED, String(now))
      }
    }
    used()
    const timer = setInterval(() => {
      if (Date.now() - Number(localStorage.getItem(LAST_USED) ?? 0) < minutes * 60_000) return
      lockScreen().catch(notifyFailed)
    }, 10_000)
    for (const sign of SIGNS) addEventListener(sign, used, { capture: true, passive: true })
    return () => {
      clearInterval(timer)
      for (const sign of SIGNS) removeEventListener(sign, used, { capture: true })
    }
  }, [minutes])
}

export function LockScreen({ session }: { session: Session }) {
  const navigate = useNavigate()
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const open = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      localStorage.setItem(LAST_USED, String(Date.now()))
      await confirmPassword(password)
    } catch (caught) {
      setError(caught)
      setPassword('')
      setBusy(false)
    }
  }
  const leave = async () => {
    try {
      await signOut()
      await navigate({ to: '/login', search: {} })
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <Gate title={t('lock.title')}>
      <p className="t2">{t('lock.who', { name: session.user.display_name || session.user.name })}</p>
      <form onSubmit={(event) => void open(event)}>
        <Failure error={error} />
        <PasswordInput label={t('login.password')} autoComplete="current-password" required data-autofocus autoFocus value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
        <button type="submit" className="btn main big" disabled={busy}>{t('lock.open')}</button>
      </form>
      <button type="button" className="link small" onClick={() => void leave()}>{t('lock.other')}</button>
    </Gate>
  )
}
