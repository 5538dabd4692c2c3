import { Modal, MultiSelect, Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { pathOf, Place, PlacePicker, privilegeWords, type PlaceKind } from '@/access/places'
import { copy } from '@/access/SecondFactor'
import { api } from '@/api/client'
import type { TokenRow } from '@/api/access-types'
import type { List, Session } from '@/api/types'
import { t } from '@/i18n'
import { day } from '@/i18n/format'
import { Ago } from '@/parts/bits'
import { Confirm } from '@/parts/Confirm'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'

const DAYS = [7, 30, 90, 365] as const

function Scope({ row }: { row: TokenRow }) {
  if (!row.privileges && !row.paths) return <>{t('tokens.everything')}</>
  return <>{row.privileges?.map(privilegeWords).join(', ')}{row.privileges && row.paths && ' · '}{row.paths?.map((path) => <Place key={path} path={path} />)}</>
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: () => void }) {
  const client = useQueryClient()
  const held = client.getQueryData<Session | null>(['session'])?.privileges ?? []
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  const [privileges, setPrivileges] = useState<string[]>([])
  const [kind, setKind] = useState<PlaceKind>('everything')
  const [id, setId] = useState<string | null>(null)
  const [token, setToken] = useState<string | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const path = pathOf(kind, id)
  const make = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const limits = { ...(privileges.length ? { privileges } : {}), ...(path && path !== '/' ? { paths: [path] } : {}) }
      setToken((await api.post<{ token: string }>('/api/me/tokens', { name, days: Number(days), ...limits })).token)
      onMade()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={t('tokens.add')} size={520}>
      {token ? (
        <div className="form">
          <p>{t('tokens.once')}</p>
          <p className="secret"><code className="mono">{token}</code><button type="button" className="btn" onClick={() => copy(token)}><Icon name="copy" />{t('tokens.copy')}</button></p>
          <div className="form-foot"><button type="button" className="btn main" onClick={onClose}>{t('act.close')}</button></div>
        </div>
      ) : (
        <form className="form" onSubmit={(event) => void make(event)}>
          <Failure error={error} />
          <div className="form-two">
            <TextInput label={t('tokens.name')} required value={name} error={fieldError(error, 'name')} onChange={(event) => setName(event.currentTarget.value)} />
            <Select label={t('tokens.days')} allowDeselect={false} data={DAYS.map((n) => ({ value: String(n), label: t('tokens.day', { n }) }))} value={days} onChange={(value) => setDays(value ?? '90')} />
          </div>
          <MultiSelect label={t('tokens.limit_privileges')} placeholder={privileges.length ? undefined : t('tokens.everything')} data={held.map((value) => ({ value, label: privilegeWords(value) }))} value={privileges} onChange={setPrivileges} />
          <PlacePicker kind={kind} onKind={setKind} id={id} onId={setId} error={fieldError(error, 'paths')} />
          <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || path === null}>{t('tokens.add')}</button></div>
        </form>
      )}
    </Modal>
  )
}

/** API tokens; one's own can be made here, another's only removed. */
export function TokenList({ of }: { of: 'me' | number }) {
  const client = useQueryClient()
  const base = of === 'me' ? '/api/me/tokens' : `/api/users/${of}/tokens`
  const key = of === 'me' ? ['me', 'tokens'] : ['users', of, 'tokens']
  const rows = useQuery({ queryKey: key, queryFn: () => api.get<List<TokenRow>>(base) })
  const [making, setMaking] = useState(false)
  const [removing, setRemoving] = useState<TokenRow | null>(null)
  const fresh = () => void client.invalidateQueries({ queryKey: key })
  return (
    <section className="panel" aria-labelledby={`tokens-${of}`}>
      <header><h2 id={`tokens-${of}`}>{t('tokens.title')}</h2>{of === 'me' && <button type="button" className="btn in-row end" onClick={() => setMaking(true)}><Icon name="plus" />{t('tokens.add')}</button>}</header>
      <Failure error={rows.error} />
      {rows.data?.items.length === 0 && <p className="empty">{t('tokens.none')}</p>}
      {(rows.data?.items.length ?? 0) > 0 && (
        <table className="grid" aria-labelledby={`tokens-${of}`}>
          <thead><tr><th>{t('tokens.name')}</th><th>{t('tokens.scope')}</th><th>{t('tokens.expires')}</th><th>{t('tokens.last_used')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
          <tbody>
            {rows.data?.items.map((row) => (
              <tr key={row.id}>
                <td className="strong">{row.name}</td>
                <td className="t2"><Scope row={row} /></td>
                <td className="t2">{row.expires_at ? day(row.expires_at) : t('tokens.never')}</td>
                <td className="t2">{row.last_used ? <Ago at={row.last_used} /> : t('tokens.never')}</td>
                <td className="acts"><button type="button" className="btn in-row" onClick={() => setRemoving(row)}>{t('act.delete')}</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {making && <NewToken onClose={() => setMaking(false)} onMade={fresh} />}
      {removing && <Confirm title={t('tokens.remove_ask', { name: removing.name })} detail={t('tokens.remove_cost')} button={t('act.delete')} onClose={() => setRemoving(null)} act={async () => {
        await api.delete(`${base}/${removing.id}`)
        fresh()
      }} />}
    </section>
  )
}
