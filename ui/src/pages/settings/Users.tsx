import { Modal, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { pathOf, Place, roleWords, type PlaceKind } from '@/access/places'
import { api } from '@/api/client'
import type { InvitationOut, UserRow } from '@/api/access-types'
import type { List } from '@/api/types'
import { t } from '@/i18n'
import { Ago } from '@/parts/bits'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'

import { UserDetail } from './UserDetail'
import { GrantFields, InvitationLink, UserState } from './UserParts'

export const useUsers = () => useQuery({ queryKey: ['users'], queryFn: () => api.get<List<UserRow>>('/api/users', { query: { limit: 1000 } }) })

function Invite({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const [name, setName] = useState('')
  const [display, setDisplay] = useState('')
  const [role, setRole] = useState('operator')
  const [kind, setKind] = useState<PlaceKind>('everything')
  const [id, setId] = useState<string | null>(null)
  const [made, setMade] = useState<InvitationOut | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const path = pathOf(kind, id)
  const invite = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const answer = await api.post<{ invitation: InvitationOut }>('/api/users', { name, display_name: display, grants: [{ path, role }] })
      setMade(answer.invitation)
      onMade()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={t('users.add')} size={520}>
      {made ? (
        <div className="form">
          <InvitationLink invitation={made} />
          <div className="form-foot"><button type="button" className="btn main" onClick={onClose}>{t('act.close')}</button></div>
        </div>
      ) : (
        <form className="form" onSubmit={(event) => void invite(event)}>
          <Failure error={error} />
          <div className="form-two">
            <TextInput label={t('users.name')} required autoComplete="off" autoCapitalize="none" spellCheck={false} value={name} error={fieldError(error, 'name')} onChange={(event) => setName(event.currentTarget.value)} />
            <TextInput label={t('users.display_name')} required autoComplete="off" value={display} error={fieldError(error, 'display_name')} onChange={(event) => setDisplay(event.currentTarget.value)} />
          </div>
          <GrantFields role={role} onRole={setRole} kind={kind} onKind={setKind} id={id} onId={setId} error={error} />
          <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || path === null}>{t('users.invite')}</button></div>
        </form>
      )}
    </Modal>
  )
}

/** People and what they hold. */
export function Users() {
  const client = useQueryClient()
  const users = useUsers()
  const { user: shown } = useSearch({ from: '/app/settings' })
  const navigate = useNavigate()
  const [inviting, setInviting] = useState(false)
  const fresh = () => void client.invalidateQueries({ queryKey: ['users'] })
  const show = (user: number | undefined) => void navigate({ to: '/settings', search: { part: 'users', ...(user ? { user } : {}) } })
  const open = users.data?.items.find((one) => one.id === shown)
  if (open) return <UserDetail key={open.id} user={open} others={users.data?.items ?? []} onBack={() => show(undefined)} onChanged={fresh} />
  return (
    <section className="panel" aria-labelledby="users-title">
      <header><h2 id="users-title">{t('users.title')}</h2><button type="button" className="btn in-row end" onClick={() => setInviting(true)}><Icon name="plus" />{t('users.add')}</button></header>
      <Failure error={users.error} />
      {users.data && (
        <table className="grid" aria-labelledby="users-title">
          <thead><tr><th>{t('users.name')}</th><th>{t('users.state')}</th><th>{t('tfa.title')}</th><th>{t('users.grants')}</th><th>{t('users.signed_in')}</th></tr></thead>
          <tbody>
            {users.data.items.map((user) => (
              <tr key={user.id}>
                <td><button type="button" className="link strong" onClick={() => show(user.id)}>{user.name}</button> <span className="t2">{user.display_name !== user.name && user.display_name}</span></td>
                <td><UserState user={user} /></td>
                <td className="t2">{user.second_factor ? t('tfa.on') : t('tfa.off')}</td>
                <td className="t2">{user.grants.length === 0 ? '–' : user.grants.map((grant, index) => <span key={grant.id}>{index > 0 && ', '}{roleWords(grant.role, grant.role_name)} · <Place path={grant.path} /></span>)}</td>
                <td className="t2">{user.signed_in_at ? <Ago at={user.signed_in_at} /> : t('users.never')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {inviting && <Invite onClose={() => setInviting(false)} onMade={fresh} />}
    </section>
  )
}
