import { TextInput } from '@mantine/core'
import { useState } from 'react'

import { giveReason, reasonFor } from '@/consoles/ticket'
import { consoleTabs, screenOf } from '@/consoles/tabs'
import { t } from '@/i18n'
import { store } from '@/live/store'

/** Why the screen is opened, where the pharmacy's contract asks for it; goes into the audit. */
export function ReasonForm({ pharmacyId }: { pharmacyId: number }) {
  const [reason, setReason] = useState(() => reasonFor(pharmacyId))
  const open = (event: React.SyntheticEvent) => {
    event.preventDefault()
    giveReason(pharmacyId, reason.trim())
    for (const tab of consoleTabs()) {
      const at = store.row('vms', tab.vmId)?.pharmacy_id ?? store.row('hosts', tab.hostId)?.pharmacy_id
      if (at === pharmacyId && tab.error?.code === 'console.reason_required') screenOf(tab.key)?.reconnect()
    }
  }
  return (
    <form className="reason" onSubmit={open}>
      <TextInput aria-label={t('console.reason')} placeholder={t('console.reason_example')} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} autoComplete="off" data-autofocus />
      <button type="submit" className="btn main" disabled={!reason.trim()}>{t('act.open_screen')}</button>
    </form>
  )
}
