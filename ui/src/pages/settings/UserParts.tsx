/** What the list of users and the page of one share. */
import { Select } from '@mantine/core'

import { PlacePicker, roleWords, type PlaceKind } from '@/access/places'
import { copy } from '@/access/SecondFactor'
import type { InvitationOut, UserRow } from '@/api/access-types'
import { t } from '@/i18n'
import { dayAndTime } from '@/i18n/format'
import { fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { State } from '@/parts/State'

import { useRoles } from './Roles'

export function UserState({ user }: { user: UserRow }) {
  if (user.disabled) return <State sign="stopped" tone="stop">{t('users.state.disabled')}</State>
  if (user.invited) return <State sign="turning" tone="stop">{t('users.state.invited')}</State>
  return <State sign="ok" tone="run">{t('users.state.active')}</State>
}

/** The link to hand over, shown this once. */
export function InvitationLink({ invitation }: { invitation: InvitationOut }) {
  return (
    <div className="form">
      <p className="strong">{t('users.link')}</p>
      <p className="t2">{t('users.link_why', { until: dayAndTime(invitation.expires_at) })}</p>
      <p className="secret"><code className="mono">{invitation.url}</code><button type="button" className="btn" onClick={() => copy(invitation.url)}><Icon name="copy" />{t('users.copy_link')}</button></p>
    </div>
  )
}

/** Role and place of a new grant. */
export function GrantFields({ role, onRole, kind, onKind, id, onId, error }: { role: string; onRole: (role: string) => void; kind: PlaceKind; onKind: (kind: PlaceKind) => void; id: string | null; onId: (id: string | null) => void; error: unknown }) {
  const roles = useRoles()
  return (
    <>
      <Select label={t('grants.role')} allowDeselect={false} data={(roles.data?.items ?? []).map((one) => ({ value: one.key, label: roleWords(one.key, one.name) }))} value={role} error={fieldError(error, 'role')} onChange={(value) => onRole(value ?? 'viewer')} />
      <PlacePicker kind={kind} onKind={onKind} id={id} onId={onId} error={fieldError(error, 'path')} />
    </>
  )
}
