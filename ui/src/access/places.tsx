/** Where a grant lies: its words, and the choice of one. */
import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { Group, List } from '@/api/types'
import { t, tMaybe } from '@/i18n'
import { useHost, usePharmacy, useRows, useVm } from '@/live/store'

export const KINDS = ['everything', 'group', 'pharmacy', 'host', 'vm'] as const
export type PlaceKind = (typeof KINDS)[number]

export const roleWords = (key: string, name: string): string => tMaybe(`role.${key}`) ?? name
export const privilegeWords = (key: string): string => tMaybe(`privilege.${key}`) ?? key

const parse = (path: string): [string, number] => {
  const [, kind = '', id = '0'] = path.split('/')
  return [kind, Number(id)]
}

export function useGroups() {
  return useQuery({ queryKey: ['groups'], queryFn: () => api.get<List<Group>>('/api/groups', { query: { limit: 1000 } }) })
}

export function Place({ path }: { path: string }) {
  const [kind, id] = parse(path)
  const groups = useGroups()
  const pharmacy = usePharmacy(kind === 'pharmacy' ? id : undefined)
  const host = useHost(kind === 'host' ? id : undefined)
  const vm = useVm(kind === 'vm' ? id : undefined)
  if (path === '/') return <>{t('place.everything')}</>
  const name = kind === 'group' ? groups.data?.items.find((one) => one.id === id)?.name : kind === 'pharmacy' ? pharmacy?.name : kind === 'host' ? host && `${host.pharmacy_name} ${host.host_ip}` : vm && `${vm.pharmacy_name} ${vm.vm_name}`
  return <>{name ? `${t(`place.${kind as PlaceKind}`)} ${name}` : t('place.gone', { path })}</>
}

/** Names for the select; the fleet may be large, so only what is typed is shown. */
function useChoices(kind: PlaceKind): { value: string; label: string }[] {
  const groups = useGroups()
  const pharmacies = useRows('pharmacies', 5_000)
  const hosts = useRows('hosts', 5_000)
  const vms = useRows('vms', 5_000)
  return useMemo(() => {
    if (kind === 'group') return (groups.data?.items ?? []).map((one) => ({ value: String(one.id), label: one.name }))
    if (kind === 'pharmacy') return pharmacies.map((one) => ({ value: String(one.id), label: `${one.name} (${one.code})` }))
    if (kind === 'host') return hosts.map((one) => ({ value: String(one.id), label: `${one.pharmacy_name} ${one.host_ip}` }))
    if (kind === 'vm') return vms.map((one) => ({ value: String(one.id), label: `${one.pharmacy_name} ${one.vm_name} (${one.vmid})` }))
    return []
  }, [kind, groups.data, pharmacies, hosts, vms])
}

/** A path, or null while the object is not chosen. */
export function PlacePicker({ kind, onKind, id, onId, error }: { kind: PlaceKind; onKind: (kind: PlaceKind) => void; id: string | null; onId: (id: string | null) => void; error?: string }) {
  const choices = useChoices(kind)
  return (
    <div className="form-two">
      <Select label={t('grants.kind')} allowDeselect={false} data={KINDS.map((value) => ({ value, label: t(`place.${value}`) }))} value={kind} onChange={(value) => {
        onKind((value ?? 'everything') as PlaceKind)
        onId(null)
      }} />
      {kind !== 'everything' && <Select label={t('grants.place')} searchable limit={50} data={choices} value={id} error={error} onChange={onId} />}
    </div>
  )
}

export const pathOf = (kind: PlaceKind, id: string | null): string | null => (kind === 'everything' ? '/' : id ? `/${kind}/${id}` : null)
