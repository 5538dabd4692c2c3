import { Checkbox, Modal, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { privilegeWords, roleWords } from '@/access/places'
import { api } from '@/api/client'
import type { RoleRow } from '@/api/access-types'
import type { List } from '@/api/types'
import { t } from '@/i18n'
import { Confirm } from '@/parts/Confirm'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'

export const useRoles = () => useQuery({ queryKey: ['roles'], queryFn: () => api.get<List<RoleRow>>('/api/roles') })

function Form({ one, all, onClose, onSaved }: { one?: RoleRow; all: readonly string[]; onClose: () => void; onSaved: () => void }) {
  const [name, setName] = useState(one?.name ?? '')
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set(one?.privileges ?? ['see']))
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const body = { name, privileges: [...held] }
      await (one ? api.put(`/api/roles/${one.id}`, body) : api.post('/api/roles', body))
      onSaved()
      onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={one ? t('roles.edit') : t('roles.add')} size={520}>
      <form className="form" onSubmit={(event) => void save(event)}>
        <Failure error={error} />
        <TextInput label={t('roles.name')} required value={name} error={fieldError(error, 'name')} onChange={(event) => setName(event.currentTarget.value)} />
        <Checkbox.Group label={t('roles.privileges')} value={[...held]} onChange={(value) => setHeld(new Set(value))}>
          <div className="privilege-grid">{all.map((key) => <Checkbox key={key} value={key} label={privilegeWords(key)} />)}</div>
        </Checkbox.Group>
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy}>{t('act.save')}</button></div>
      </form>
    </Modal>
  )
}

/** Built-in roles, and those of one's own making. */
export function Roles() {
  const client = useQueryClient()
  const roles = useRoles()
  const [editing, setEditing] = useState<RoleRow | 'new' | null>(null)
  const [removing, setRemoving] = useState<RoleRow | null>(null)
  const all = roles.data?.items.find((one) => one.key === 'administrator')?.privileges ?? []
  const fresh = () => {
    notifyDone(t('settings.saved'))
    void client.invalidateQueries({ queryKey: ['roles'] })
  }
  return (
    <section className="panel" aria-labelledby="roles-title">
      <header><h2 id="roles-title">{t('roles.title')}</h2><button type="button" className="btn in-row end" onClick={() => setEditing('new')}><Icon name="plus" />{t('roles.add')}</button></header>
      <Failure error={roles.error} />
      {roles.data && (
        <table className="grid" aria-labelledby="roles-title">
          <thead><tr><th>{t('roles.name')}</th><th>{t('roles.privileges')}</th><th className="num">{t('roles.users')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
          <tbody>
            {roles.data.items.map((one) => (
              <tr key={one.key}>
                <td className="strong nowrap">{roleWords(one.key, one.name)} {one.built_in && <span className="tag plain">{t('roles.built_in')}</span>}</td>
                <td className="t2">{one.privileges.length === all.length ? t('place.everything') : one.privileges.map(privilegeWords).join(', ') || '–'}</td>
                <td className="num">{one.users}</td>
                <td className="acts">{!one.built_in && <><button type="button" className="btn in-row" onClick={() => setEditing(one)}>{t('act.edit')}</button><button type="button" className="btn in-row" disabled={one.users > 0} onClick={() => setRemoving(one)}>{t('act.delete')}</button></>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {editing && <Form one={editing === 'new' ? undefined : editing} all={all} onClose={() => setEditing(null)} onSaved={fresh} />}
      {removing && <Confirm title={t('settings.remove_ask', { name: removing.name })} detail={t('roles.remove_cost')} button={t('act.delete')} onClose={() => setRemoving(null)} act={async () => {
        await api.delete(`/api/roles/${removing.id}`)
        fresh()
      }} />}
    </section>
  )
}
