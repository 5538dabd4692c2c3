/** 퇴사 처리 and 기기 분실: one question, one act, and what is left to do afterwards. */
import { Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Farewell, InvitationOut, KnownSecret, UserRow } from '@/api/access-types'
import type { List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t, tMaybe } from '@/i18n'
import { dayAndTime } from '@/i18n/format'
import { Failure, fieldError } from '@/parts/Failure'

import { InvitationLink } from './UserParts'

function Secrets({ known }: { known: readonly KnownSecret[] }) {
  const mayChange = useMay('credential.edit')
  if (known.length === 0) return <p className="t2">{t('farewell.none')}</p>
  const hosts = known.filter((one) => one.kind === 'host' && !one.changed_since).map((one) => one.id)
  return (
    <div className="form">
    <p className="t2">{t('farewell.root')}</p>
    {known.some((one) => one.kind === 'root_password') && <p className="t2">{t('farewell.typed')}</p>}
    {mayChange && hosts.length > 1 && <p><Link className="btn" to="/settings" search={{ part: 'accounts', hosts: hosts.join(',') }}>{t('farewell.rotate_all', { n: hosts.length })}</Link></p>}
    <ul>
      {known.map((one) => (
        <li key={`${one.kind}-${one.id}`} className="line">
          <span className="t2">{t(`known.${one.kind}`)}</span>
          <span className="strong grow">{one.name}</span>
          <span className="t3 small nowrap">{dayAndTime(one.at)}</span>
          {one.changed_since
            ? <span className="tag plain">{t('farewell.changed')}</span>
            : one.kind === 'root_password'
              ? <span className="tag plain">{t('farewell.at_host')}</span>
              : mayChange && (one.kind === 'host'
                ? <Link className="btn in-row" to="/settings" search={{ part: 'accounts', hosts: String(one.id) }}>{t('farewell.rotate')}</Link>
                : <Link className="btn in-row" to="/settings" search={{}}>{t('farewell.change')}</Link>)}
        </li>
      ))}
    </ul>
    </div>
  )
}

/** What somebody has typed in, so that it can be changed: also long after they left. */
export function KnownSecrets({ userId }: { userId: number }) {
  const known = useQuery({ queryKey: ['users', userId, 'secrets'], queryFn: () => api.get<List<KnownSecret>>(`/api/users/${userId}/secrets`) })
  return (
    <section className="panel" aria-labelledby="known-title">
      <header><h2 id="known-title">{t('farewell.known')}</h2></header>
      <div className="panel-body">
        <Failure error={known.error} />
        {known.data && <Secrets known={known.data.items} />}
      </div>
    </section>
  )
}

function Result({ farewell, invitation, onClose }: { farewell: Farewell; invitation?: InvitationOut; onClose: () => void }) {
  const handed = Object.entries(farewell.handed_over)
  return (
    <div className="form">
      <p>{t('farewell.ended', { sessions: farewell.sessions, tokens: farewell.tokens, grants: farewell.grants })}</p>
      {farewell.second_factor && <p>{t('farewell.tfa')}</p>}
      {handed.map(([what, n]) => <p key={what}>{t('farewell.handed', { what: tMaybe(`handed.${what}`) ?? what, n })}</p>)}
      {invitation && <InvitationLink invitation={invitation} />}
      <h3 className="strong">{t('farewell.known')}</h3>
      {farewell.known.length > 0 && <p className="t2">{t('farewell.known_why')}</p>}
      <Secrets known={farewell.known} />
      <div className="form-foot"><button type="button" className="btn main" onClick={onClose}>{t('act.close')}</button></div>
    </div>
  )
}

interface Props {
  how: 'offboard' | 'lost'
  user: UserRow
  others: readonly UserRow[]
  onClose: () => void
  onDone: () => void
}

export function Leave({ how, user, others, onClose, onDone }: Props) {
  const [reason, setReason] = useState('')
  const [heir, setHeir] = useState<string | null>(null)
  const [typed, setTyped] = useState('')
  const [done, setDone] = useState<{ farewell: Farewell; invitation?: InvitationOut } | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const act = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      if (how === 'lost') setDone(await api.post<{ farewell: Farewell; invitation: InvitationOut }>(`/api/users/${user.id}/lost-device`, { reason }))
      else setDone({ farewell: await api.post<Farewell>(`/api/users/${user.id}/offboard`, { reason, ...(heir ? { heir_id: Number(heir) } : {}) }) })
      onDone()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const heirs = others.filter((one) => one.id !== user.id && !one.disabled).map((one) => ({ value: String(one.id), label: one.display_name }))
  return (
    <Modal opened onClose={onClose} title={done ? t('farewell.title') : t(how === 'lost' ? 'lost.ask' : 'offboard.ask', { name: user.display_name })} size={560}>
      {done ? <Result {...done} onClose={onClose} /> : (
        <form className="form" onSubmit={(event) => void act(event)}>
          <p>{t(how === 'lost' ? 'lost.cost' : 'offboard.cost')}</p>
          <Failure error={error} />
          {how === 'offboard' && <Select label={t('offboard.heir')} placeholder={t('offboard.nobody')} clearable data={heirs} value={heir} error={fieldError(error, 'heir_id')} onChange={setHeir} />}
          <Textarea label={t('offboard.reason')} autosize minRows={2} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <TextInput label={t('offboard.typed', { name: user.name })} autoComplete="off" value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
          <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || typed.trim() !== user.name}>{t(how === 'lost' ? 'lost.act' : 'offboard.act')}</button></div>
        </form>
      )}
    </Modal>
  )
}
