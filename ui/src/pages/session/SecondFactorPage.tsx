import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { RegisterApp } from '@/access/SecondFactor'
import { signOut } from '@/app/session'
import { t } from '@/i18n'
import { notifyFailed } from '@/parts/notify'

import { Gate } from './Gate'

import '@/access/access.css'

/** Before anything else, where the rules ask for a second factor. */
export function SecondFactorPage() {
  const client = useQueryClient()
  const navigate = useNavigate()
  const done = async () => {
    await client.invalidateQueries({ queryKey: ['session'] })
    await client.refetchQueries({ queryKey: ['session'] })
    await navigate({ to: '/' })
  }
  const leave = async () => {
    try {
      await signOut()
      await navigate({ to: '/login', search: {} })
    } catch (error) {
      notifyFailed(error)
    }
  }
  return (
    <Gate title={t('tfa.needed.title')}>
      <p className="t2">{t('tfa.needed.why')}</p>
      <RegisterApp onDone={() => void done()} />
      <button type="button" className="link small" onClick={() => void leave()}>{t('top.sign_out')}</button>
    </Gate>
  )
}
