/** The questions before accounts are made, rotated or removed. */
import { Checkbox, Modal, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Accepted, AccountRow } from '@/api/audit-types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'

import type { Asking } from './Accounts'

interface Administrator {
  username: string
  secret: string
}

function useAct() {
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const run = (act: () => Promise<void>) => async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return { error, busy, run }
}

function AdministratorFields({ value, onChange, error }: { value: Administrator; onChange: (value: Administrator) => void; error: unknown }) {
  return (
    <div className="form-two level">
      <TextInput label={t('accounts.username')} required spellCheck={false} autoComplete="off" value={value.username} error={fieldError(error, 'administrator.username')} onChange={(event) => onChange({ ...value, username: event.currentTarget.value })} />
      <PasswordInput label={t('accounts.password')} required autoComplete="new-password" value={value.secret} error={fieldError(error, 'administrator.secret')} onChange={(event) => onChange({ ...value, secret: event.currentTarget.value })} />
    </div>
  )
}

const rootOf = (secret = ''): Administrator => ({ username: 'root@pam', secret })
const named = (rows: readonly AccountRow[] | undefined) => (rows?.length === 1 ? rows[0] : undefined)
const hostWords = (row: AccountRow) => `${row.pharmacy_name} ${row.host_ip}`

interface Props {
  asking: Extract<Asking, { n: number }>
  onClose: () => void
  onDone: (answer: Accepted) => void
}

export function MakeAccounts({ asking, onClose, onDone }: Props) {
  const one = named(asking.rows)
  // A host that has left its password behind, or never had one stored, needs it typed.
  const [how, setHow] = useState<'stored' | 'typed'>(one && (one.credential_kind !== 'password' || one.reason === 'provisioning.needs_password' || one.reason === 'pve.credential_refused') ? 'typed' : 'stored')
  const [administrator, setAdministrator] = useState(rootOf())
  const [forget, setForget] = useState(true)
  const { error, busy, run } = useAct()
  const title = one ? t(one.state === 'stopped' ? 'accounts.resume_ask' : 'accounts.make_ask_one', { host: hostWords(one) }) : t('accounts.make_ask', { n: asking.n })
  const act = run(async () => {
    onDone(await api.post<Accepted>('/api/service-accounts/provision', { ...(asking.ids ? { host_ids: asking.ids } : {}), ...(how === 'typed' ? { administrator } : {}), forget_set: forget }))
    onClose()
  })
  return (
    <Modal opened onClose={onClose} title={title} size={520}>
      <form className="form" onSubmit={(event) => void act(event)}>
        <p>{t('accounts.make_cost')}</p>
        <SegmentedControl aria-label={t('accounts.how')} value={how} onChange={(value) => setHow(value as 'stored' | 'typed')} data={[{ value: 'stored', label: t('accounts.how.stored') }, { value: 'typed', label: t('accounts.how.typed') }]} />
        <p className="t2">{t(how === 'stored' ? 'accounts.stored_why' : 'accounts.typed_why')}</p>
        {how === 'typed' && <AdministratorFields value={administrator} onChange={setAdministrator} error={error} />}
        <Checkbox label={t('accounts.forget')} checked={forget} onChange={(event) => setForget(event.currentTarget.checked)} />
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || (how === 'typed' && (!administrator.secret || !administrator.username.trim()))}>{t(one?.state === 'stopped' ? 'accounts.resume' : 'accounts.make')}</button></div>
      </form>
    </Modal>
  )
}

export function RotateAccounts({ asking, onClose, onDone }: Props) {
  const one = named(asking.rows)
  const { error, busy, run } = useAct()
  const act = run(async () => {
    onDone(await api.post<Accepted>('/api/service-accounts/rotate', asking.ids ? { host_ids: asking.ids } : {}))
    onClose()
  })
  return (
    <Modal opened onClose={onClose} title={one ? t('accounts.rotate_ask_one', { host: hostWords(one) }) : t('accounts.rotate_ask', { n: asking.n })} size={480}>
      <form className="form" onSubmit={(event) => void act(event)}>
        <p>{t('accounts.rotate_cost')}</p>
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy}>{t('accounts.rotate')}</button></div>
      </form>
    </Modal>
  )
}

export function RemoveAccount({ row, onClose, onDone }: { row: AccountRow; onClose: () => void; onDone: () => void }) {
  const [after, setAfter] = useState<'back' | 'keep'>('back')
  const [administrator, setAdministrator] = useState(rootOf())
  const [typed, setTyped] = useState('')
  const { error, busy, run } = useAct()
  const act = run(async () => {
    await api.post(`/api/service-accounts/${row.host_id}/remove`, { administrator, forget_host: after === 'back' })
    onDone()
    onClose()
  })
  return (
    <Modal opened onClose={onClose} title={t('accounts.remove_ask', { host: hostWords(row) })} size={520}>
      <form className="form" onSubmit={(event) => void act(event)}>
        <SegmentedControl aria-label={t('accounts.remove_how')} value={after} onChange={(value) => setAfter(value as 'back' | 'keep')} data={[{ value: 'back', label: t('accounts.remove_how.back') }, { value: 'keep', label: t('accounts.remove_how.keep') }]} />
        <p>{t(after === 'back' ? 'accounts.back_cost' : 'accounts.keep_cost')}</p>
        <AdministratorFields value={administrator} onChange={setAdministrator} error={error} />
        <TextInput label={t('accounts.typed', { host: row.host_ip })} autoComplete="off" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || typed.trim() !== row.host_ip || !administrator.secret}>{t(after === 'back' ? 'accounts.remove_how.back' : 'accounts.remove')}</button></div>
      </form>
    </Modal>
  )
}
