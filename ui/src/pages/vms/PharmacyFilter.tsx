import { Menu } from '@mantine/core'
import { useMemo, useState } from 'react'

import { t } from '@/i18n'
import { useFoundPharmacies } from '@/live/find'
import { usePharmacy, useRows } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'

/** After the menu took the focus for itself. */
const takeFocus = (field: HTMLElement | null): void => {
  if (field) setTimeout(() => field.focus(), 0)
}

const MOST = 30
const collator = new Intl.Collator('ko', { numeric: true })

function Choices({ onPick }: { onPick: (id: number) => void }) {
  const [q, setQ] = useState('')
  const found = useFoundPharmacies(q)
  const all = useRows('pharmacies', 5000)
  const shown = useMemo(() => all.filter((one) => !found.ids || found.ids.has(one.id)).toSorted((a, b) => collator.compare(a.name, b.name)), [all, found.ids])
  return (
    <>
      <label className="search-field pharmacy-filter"><Icon name="search" /><span className="sr">{t('pharmacies.search')}</span><input ref={takeFocus} value={q} placeholder={t('pharmacies.search')} autoComplete="off" onChange={(event) => setQ(event.currentTarget.value)} /></label>
      <Failure error={found.error} />
      {shown.slice(0, MOST).map((one) => <Menu.Item key={one.id} onClick={() => onPick(one.id)}>{one.name} <span className="small t3">{one.code}</span></Menu.Item>)}
      {shown.length > MOST && <Menu.Label>{t('vms.more_pharmacies', { n: shown.length - MOST })}</Menu.Label>}
      {shown.length === 0 && <Menu.Label>{t('list.none')}</Menu.Label>}
    </>
  )
}

/** One pharmacy, found as everywhere: initial consonants, phone digits, code. */
export function PharmacyFilter({ value, onChange }: { value: number | undefined; onChange: (id: number | undefined) => void }) {
  const pharmacy = usePharmacy(value)
  return (
    <Menu position="bottom-start" trapFocus={false} width={280}>
      <Menu.Target>
        <button type="button" className={value ? 'chip on' : 'chip'}>{t('nav.pharmacies')}: {value ? (pharmacy?.name ?? '–') : t('filter.all')}<Icon name="down" size={12} /></button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflow: 'auto' }}>
        {value !== undefined && <Menu.Item onClick={() => onChange(undefined)}>{t('filter.clear')}</Menu.Item>}
        {value !== undefined && <Menu.Divider />}
        <Choices onPick={onChange} />
      </Menu.Dropdown>
    </Menu>
  )
}
