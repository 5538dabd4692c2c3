import { Modal } from '@mantine/core'
import { useState } from 'react'

import { pathOf, Place, roleWords, type PlaceKind } from '@/access/places'
import { api } from '@/api/client'
import type { GrantRow, InvitationOut, UserRow } from '@/api/access-types'
import { t } from '@/i18n'
import { Confirm } from '@/parts/Confirm'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'

import { KnownSecrets, Leave } from './Leave'
import { SessionList } from './SessionList'
import { TokenList } from './TokenList'
import { GrantFields, InvitationLink, UserState } from './UserParts'

function Grants({ user, onChanged }: { user: UserRow; onChanged: () => void }) {
  const [adding, setAdding] = useState(false)
  const [revoking, setRevoking] = useState<GrantRow | null>(null)
  const [role, setRole] = useState('operator')
  const [kind, setKind] = useState<PlaceKind>('pharmacy')
  const [id, setId] = useState<string | null>(null)
  const [error, setError] = useState<unknown>()
  const path = pathOf(kind, id)
  const add = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setError(undefined)
    try {
      await api.post(`/api/users/${user.id}/grants`, { path, role })
      setAdding(false)
      onChanged()
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <section className="panel" aria-labelledby="grants-title">
      <header><h2 id="grants-title">{t('users.grants')}</h2><button type="button" className="btn in-row end" onClick={() => setAdding(true)}><Icon name="plus" />{t('grants.add')}</button></header>
      {user.grants.length === 0 && <p className="empty">{t('grants.none')}</p>}
      {user.grants.map((grant) => (
        <div key={grant.id} className="line">
          <span className="strong">{roleWords(grant.role, grant.role_name)}</span>
          <span className="t2 grow"><Place path={grant.path} /></span>
          <button type="button" className="btn in-row" onClick={() => setRevoking(grant)}>{t('grants.revoke')}</button>
        </div>
      ))}
      {adding && (
        <Modal opened onClose={() => setAdding(false)} title={t('grants.add')} size={520}>
          <form className="form" onSubmit={(event) => void add(event)}>
            <Failure error={error} />
            <GrantFields role={role} onRole={setRole} kind={kind} onKind={setKind} id={id} onId={setId} error={error} />
            <div className="form-foot"><button type="button" className="btn" onClick={() => setAdding(false)}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={path === null}>{t('grants.add')}</button></div>
          </form>
        </Modal>
      )}
      {revoking && <Confirm title={t('grants.revoke_ask', { role: roleWords(revoking.role, revoking.role_name) })} detail={<RevokeCost path={revoking.path} />} button={t('grants.revoke')} onClose={() => setRevoking(null)} act={async () => {
        await api.delete(`/api/users/${user.id}/grants/${revoking.id}`)
        onChanged()
      }} />}
    </section>
  )
}

function RevokeCost({ path }: { path: string }) {
  const [before = '', after = ''] = t('grants.revoke_cost', { place: '\u0000' }).split('\u0000')
  return <>{before}<Place path={path} />{after}</>
}

type Question = 'disable' | 'invite' | 'tfa' | 'remove' | 'offboard' | 'lost'

/** One user: grants, sessions, tokens, and the acts on the whole account. */
export function UserDetail({ user, others, onBack, onChanged }: { user: UserRow; others: readonly UserRow[]; onBack: () => void; onChanged: () => void }) {
  const [asking, setAsking] = useState<Question | null>(null)
  const [invitation, setInvitation] = useState<InvitationOut | null>(null)
  const [error, setError] = useState<unknown>()
  const name = user.display_name
  const close = () => setAsking(null)
  const put = (disabled: boolean) => api.put(`/api/users/${user.id}`, { display_name: user.display_name, lang: user.lang, disabled })
  const enable = async () => {
    setError(undefined)
    try {
      await put(false)
      onChanged()
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <>
      <div className="row-flex">
        <button type="button" className="btn" onClick={onBack}><Icon name="left" />{t('users.title')}</button>
        <h2 className="strong">{user.name} <span className="t2">{user.display_name !== user.name && user.display_name}</span></h2>
        <UserState user={user} />
      </div>
      <Failure error={error} />
      {invitation && <section className="panel"><div className="panel-body"><InvitationLink invitation={invitation} /></div></section>}
      <Grants user={user} onChanged={onChanged} />
      <section className="panel" aria-labelledby="acts-title">
        <header><h2 id="acts-title">{t('users.more')}</h2></header>
        <div className="panel-body filters">
          <button type="button" className="btn" onClick={() => setAsking('lost')}>{t('lost.act')}</button>
          <button type="button" className="btn" onClick={() => setAsking('offboard')}>{t('offboard.act')}</button>
          <button type="button" className="btn" onClick={() => setAsking('invite')}>{t('users.invite_again')}</button>
          <button type="button" className="btn" disabled={!user.second_factor} onClick={() => setAsking('tfa')}>{t('users.clear_tfa')}</button>
          {user.disabled ? <button type="button" className="btn" onClick={() => void enable()}>{t('users.enable')}</button> : <button type="button" className="btn" onClick={() => setAsking('disable')}>{t('users.disable')}</button>}
          <button type="button" className="btn" onClick={() => setAsking('remove')}>{t('users.remove')}</button>
        </div>
      </section>
      <SessionList of={user.id} />
      <TokenList of={user.id} />
      <KnownSecrets userId={user.id} />
      {asking === 'disable' && <Confirm title={t('users.disable_ask', { name })} detail={t('users.disable_cost')} button={t('users.disable')} onClose={close} act={async () => {
        await put(true)
        onChanged()
      }} />}
      {asking === 'tfa' && <Confirm title={t('users.clear_tfa_ask', { name })} detail={t('users.clear_tfa_cost')} button={t('users.clear_tfa')} onClose={close} act={async () => {
        await api.delete(`/api/users/${user.id}/second-factor`)
        onChanged()
      }} />}
      {asking === 'invite' && <Confirm title={t('users.invite_again_ask', { name })} detail={t('users.invite_again_cost')} button={t('users.invite_again')} onClose={close} act={async () => {
        setInvitation(await api.post<InvitationOut>(`/api/users/${user.id}/invitation`))
        onChanged()
      }} />}
      {asking === 'remove' && <Confirm title={t('users.remove_ask', { name })} detail={t('users.remove_cost')} button={t('users.remove')} typed={user.name} onClose={close} act={async () => {
        await api.delete(`/api/users/${user.id}`)
        onBack()
        onChanged()
      }} />}
      {(asking === 'offboard' || asking === 'lost') && <Leave how={asking} user={user} others={others} onClose={close} onDone={onChanged} />}
    </>
  )
}
