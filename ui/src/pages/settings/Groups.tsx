import { Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Group, List } from '@/api/types'
import { t } from '@/i18n'
import { useRows } from '@/live/store'
import { Confirm } from '@/parts/Confirm'
import { Failure } from '@/parts/Failure'

const KINDS = ['region', 'chain', 'other'] as const

function Line({ group, members, onDone }: { group: Group; members: number; onDone: () => void }) {
  const [name, setName] = useState<string | null>(null)
  const [removing, setRemoving] = useState(false)
  const [error, setError] = useState<unknown>()
  const rename = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setError(undefined)
    try {
      await api.put(`/api/groups/${group.id}`, { name, kind: group.kind })
      setName(null)
      onDone()
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <tr>
      <td>{name === null ? <span className="strong">{group.name}</span> : <form className="row-flex" onSubmit={(event) => void rename(event)}><TextInput aria-label={t('settings.group_name')} size="xs" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus /><button type="submit" className="btn in-row">{t('act.save')}</button></form>}<Failure error={error} /></td>
      <td className="t2">{t(`group.${group.kind}`)}</td>
      <td className="num">{members}</td>
      <td className="acts"><button type="button" className="btn in-row" onClick={() => setName(name === null ? group.name : null)}>{name === null ? t('act.edit') : t('act.cancel')}</button><button type="button" className="btn in-row" onClick={() => setRemoving(true)}>{t('act.delete')}</button>
        {removing && <Confirm title={t('settings.remove_ask', { name: group.name })} detail={t('settings.group_cost', { n: members })} button={t('act.delete')} onClose={() => setRemoving(false)} act={async () => {
          await api.delete(`/api/groups/${group.id}`)
          onDone()
        }} />}
      </td>
    </tr>
  )
}

/** Regions, chains and other groups; a pharmacy may stand in many. */
export function Groups() {
  const client = useQueryClient()
  const groups = useQuery({ queryKey: ['groups'], queryFn: () => api.get<List<Group>>('/api/groups', { query: { limit: 1000 } }) })
  const pharmacies = useRows('pharmacies')
  const [name, setName] = useState('')
  const [kind, setKind] = useState<Group['kind']>('region')
  const [error, setError] = useState<unknown>()
  const fresh = () => void client.invalidateQueries({ queryKey: ['groups'] })
  const add = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setError(undefined)
    try {
      await api.post('/api/groups', { name, kind })
      setName('')
      fresh()
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <section className="panel" aria-labelledby="groups-title">
      <header><h2 id="groups-title">{t('settings.groups')}</h2></header>
      <table className="grid" aria-labelledby="groups-title">
        <thead><tr><th>{t('settings.group_name')}</th><th>{t('credential.kind')}</th><th className="num">{t('nav.pharmacies')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
        <tbody>{groups.data?.items.map((group) => <Line key={group.id} group={group} members={pharmacies.filter((one) => one.groups.some((other) => other.id === group.id)).length} onDone={fresh} />)}</tbody>
      </table>
      <form className="panel-body row-flex" onSubmit={(event) => void add(event)}>
        <TextInput aria-label={t('settings.group_name')} placeholder={t('settings.group_name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Select aria-label={t('credential.kind')} w={120} allowDeselect={false} data={KINDS.map((value) => ({ value, label: t(`group.${value}`) }))} value={kind} onChange={(value) => setKind((value ?? 'other') as Group['kind'])} />
        <button type="submit" className="btn" disabled={!name.trim()}>{t('settings.group_add')}</button>
      </form>
      <Failure error={error ?? groups.error} />
    </section>
  )
}
