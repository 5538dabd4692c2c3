/** Asks for the password when the server wants to see it again, then the refused call goes on by itself. */
import { Modal, PasswordInput } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'

import { whenReauthNeeded } from '@/api/client'
import { confirmPassword } from '@/app/session'
import { t } from '@/i18n'
import { Failure } from '@/parts/Failure'

export function Reauth() {
  const [open, setOpen] = useState(false)
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const waiting = useRef<((shown: boolean) => void)[]>([])
  const done = (shown: boolean) => {
    for (const tell of waiting.current.splice(0)) tell(shown)
    setOpen(false)
    setPassword('')
    setError(undefined)
  }
  useEffect(() => {
    whenReauthNeeded(() => {
      setOpen(true)
      return new Promise((resolve) => waiting.current.push(resolve))
    })
    return () => whenReauthNeeded(() => Promise.resolve(false))
  }, [])
  const submit = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    event.stopPropagation()
    setBusy(true)
    setError(undefined)
    try {
      await confirmPassword(password)
      done(true)
    } catch (caught) {
      setError(caught)
      setPassword('')
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened={open} onClose={() => done(false)} title={t('reauth.title')} size={400} zIndex={400}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <p className="t2">{t('reauth.why')}</p>
        <Failure error={error} />
        <PasswordInput label={t('login.password')} autoComplete="current-password" required data-autofocus value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
        <div className="form-foot"><button type="button" className="btn" onClick={() => done(false)}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy}>{t('reauth.submit')}</button></div>
      </form>
    </Modal>
  )
}
