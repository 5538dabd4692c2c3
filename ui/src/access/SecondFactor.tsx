/** Registering an authenticator app: picture, code, recovery codes. Used by one's own page and before the first entry. */
import { TextInput } from '@mantine/core'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Enrolment } from '@/api/access-types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

export function copy(text: string): void {
  navigator.clipboard.writeText(text).then(() => notifyDone(t('act.copied')), notifyFailed)
}

export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  return (
    <div className="form">
      <h3 className="strong">{t('tfa.recovery')}</h3>
      <p className="t2">{t('tfa.recovery_why')}</p>
      <ul className="codes mono" aria-label={t('tfa.recovery')}>{codes.map((code) => <li key={code}>{code}</li>)}</ul>
      <div className="form-foot">
        <button type="button" className="btn" onClick={() => copy(codes.join('\n'))}><Icon name="copy" />{t('tfa.copy')}</button>
        <button type="button" className="btn main" onClick={onKept}>{t('tfa.kept')}</button>
      </div>
    </div>
  )
}

export function RegisterApp({ onDone }: { onDone: () => void }) {
  const [begun, setBegun] = useState<Enrolment | null>(null)
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const [code, setCode] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const attempt = async (act: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const begin = () => attempt(async () => setBegun(await api.post<Enrolment>('/api/me/second-factor')))
  const confirm = (event: React.SyntheticEvent) => {
    event.preventDefault()
    void attempt(async () => {
      const made = await api.put<{ recovery_codes: string[] }>('/api/me/second-factor', { code })
      setCodes(made.recovery_codes)
    })
  }
  if (codes) return <RecoveryCodes codes={codes} onKept={onDone} />
  if (!begun) {
    return (
      <div className="form">
        <p className="t2">{t('tfa.why')}</p>
        <Failure error={error} />
        <div><button type="button" className="btn main" disabled={busy} onClick={() => void begin()}>{t('tfa.begin')}</button></div>
      </div>
    )
  }
  return (
    <form className="form" onSubmit={confirm}>
      <p>{t('tfa.scan')}</p>
      <img className="qr" alt={t('tfa.picture')} src={`data:image/svg+xml;utf8,${encodeURIComponent(begun.picture)}`} />
      <p className="t2">{t('tfa.by_hand')} <code className="mono key" data-key={begun.key}>{begun.key.replace(/(.{4})/g, '$1 ').trim()}</code></p>
      <TextInput label={t('tfa.code')} inputMode="numeric" autoComplete="one-time-code" required value={code} error={fieldError(error, 'code')} onChange={(event) => setCode(event.currentTarget.value)} />
      <Failure error={error} />
      <div className="form-foot"><button type="submit" className="btn main" disabled={busy}>{t('tfa.confirm')}</button></div>
    </form>
  )
}
