import { Modal, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Credential, List } from '@/api/types'
import { t } from '@/i18n'
import { Ago } from '@/parts/bits'
import { Confirm } from '@/parts/Confirm'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'

function Form({ one, onClose, onSaved }: { one?: Credential; onClose: () => void; onSaved: () => void }) {
  const [name, setName] = useState(one?.name ?? '')
  const [kind, setKind] = useState<'password' | 'token'>(one?.kind ?? 'password')
  const [username, setUsername] = useState(one?.username ?? 'root@pam')
  const [secret, setSecret] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const body = { name, kind, username, ...(secret ? { secret } : {}) }
      await (one ? api.put(`/api/credentials/${one.id}`, body) : api.post('/api/credentials', body))
      onSaved()
      onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={one ? t('credential.edit') : t('credential.add')} size={480}>
      <form className="form" onSubmit={(event) => void save(event)}>
        {one && <p className="t2">{t('credential.edit_hint', { n: one.host_count })}</p>}
        <TextInput label={t('credential.name')} required value={name} error={fieldError(error, 'name')} onChange={(event) => setName(event.currentTarget.value)} />
        <SegmentedControl aria-label={t('credential.kind')} value={kind} onChange={(value) => setKind(value as 'password' | 'token')} data={[{ value: 'password', label: t('credential.password') }, { value: 'token', label: t('credential.token') }]} />
        <TextInput label={kind === 'token' ? t('credential.token_id') : t('credential.username')} required value={username} spellCheck={false} autoComplete="off" error={fieldError(error, 'username')} onChange={(event) => setUsername(event.currentTarget.value)} />
        <PasswordInput label={kind === 'token' ? t('credential.token_secret') : t('login.password')} description={one ? t('credential.keep') : undefined} required={!one} autoComplete="new-password" value={secret} error={fieldError(error, 'secret')} onChange={(event) => setSecret(event.currentTarget.value)} />
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy}>{t('act.save')}</button></div>
      </form>
    </Modal>
  )
}

/** Accounts shared by many hosts; the secret goes in and never comes out. */
export function Credentials() {
  const client = useQueryClient()
  const sets = useQuery({ queryKey: ['credentials'], queryFn: () => api.get<List<Credential>>('/api/credentials', { query: { limit: 1000 } }) })
  const [editing, setEditing] = useState<Credential | 'new' | null>(null)
  const [removing, setRemoving] = useState<Credential | null>(null)
  const fresh = () => {
    notifyDone(t('settings.saved'))
    void client.invalidateQueries({ queryKey: ['credentials'] })
  }
  return (
    <section className="panel" aria-labelledby="credentials-title">
      <header><h2 id="credentials-title">{t('credential.shared')}</h2><button type="button" className="btn in-row end" onClick={() => setEditing('new')}><Icon name="plus" />{t('credential.add')}</button></header>
      <Failure error={sets.error} />
      {sets.data?.items.length === 0 && <p className="empty">{t('credential.none')}</p>}
      {(sets.data?.items.length ?? 0) > 0 && (
        <table className="grid" aria-labelledby="credentials-title">
          <thead><tr><th>{t('credential.name')}</th><th>{t('credential.username')}</th><th>{t('credential.kind')}</th><th className="num">{t('nav.hosts')}</th><th>{t('settings.changed')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
          <tbody>
            {sets.data?.items.map((one) => (
              <tr key={one.id}>
                <td className="strong">{one.name}</td><td>{one.username}</td><td>{t(`credential.${one.kind}`)}</td><td className="num">{one.host_count}</td><td className="t2"><Ago at={one.updated_at} /></td>
                <td className="acts"><button type="button" className="btn in-row" onClick={() => setEditing(one)}>{t('act.edit')}</button><button type="button" className="btn in-row" disabled={one.host_count > 0} title={one.host_count > 0 ? t('credential.in_use') : undefined} onClick={() => setRemoving(one)}>{t('act.delete')}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {editing && <Form one={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} onSaved={fresh} />}
      {removing && <Confirm title={t('settings.remove_ask', { name: removing.name })} detail={t('credential.remove_cost')} button={t('act.delete')} onClose={() => setRemoving(null)} act={async () => {
        await api.delete(`/api/credentials/${removing.id}`)
        fresh()
      }} />}
    </section>
  )
}
