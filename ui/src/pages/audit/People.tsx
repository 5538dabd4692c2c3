/** A person, chosen from the accounts, or by number when the account is gone. */
import { NumberInput, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { api } from '@/api/client'
import type { UserRow } from '@/api/access-types'
import type { List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'

/** The list of accounts needs `access.edit`; an auditor without it gives the number that stands in the history. */
export function useAccounts() {
  const may = useMay('access.edit')
  return useQuery({ queryKey: ['users'], enabled: may, queryFn: () => api.get<List<UserRow>>('/api/users', { query: { limit: 1000 } }) })
}

const everybody = () => true

export function PersonPicker({ value, onChange, error, only = everybody }: { value: number | null; onChange: (id: number | null) => void; error?: string; only?: (user: UserRow) => boolean }) {
  const accounts = useAccounts()
  const known = (accounts.data?.items ?? []).filter(only).map((one) => ({ value: String(one.id), label: `${one.display_name} (${one.name}) #${one.id}${one.disabled ? ` · ${t('users.state.disabled')}` : ''}` }))
  return (
    <div className="form-two level">
      {known.length > 0 && <Select label={t('person.pick')} searchable clearable limit={50} data={known} value={value !== null && known.some((one) => one.value === String(value)) ? String(value) : null} onChange={(next) => onChange(next ? Number(next) : null)} />}
      <NumberInput label={t('person.number')} hideControls min={1} allowDecimal={false} value={value ?? ''} error={error} onChange={(next) => onChange(typeof next === 'number' && next > 0 ? next : null)} />
    </div>
  )
}
