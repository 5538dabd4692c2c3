import { PasswordInput, SegmentedControl, Select, TextInput } from '@mantine/core'

import { api } from '@/api/client'
import type { Credential } from '@/api/types'
import { t } from '@/i18n'
import { fieldError } from '@/parts/Failure'

export interface CredentialDraft {
  mode: 'shared' | 'new' | 'own'
  id: string | null
  name: string
  kind: 'password' | 'token'
  username: string
  secret: string
}

export const noCredential: CredentialDraft = { mode: 'shared', id: null, name: '', kind: 'password', username: 'root@pam', secret: '' }

export const credentialReady = (draft: CredentialDraft): boolean =>
  draft.mode === 'shared' ? draft.id !== null : draft.username !== '' && draft.secret !== '' && (draft.mode === 'own' || draft.name !== '')

/** The part of a host's body that names its credential; a new shared set is stored first. */
export async function credentialBody(draft: CredentialDraft): Promise<{ credential_id: number } | { credential: { kind: string; username: string; secret: string } }> {
  const { kind, username, secret, name } = draft
  if (draft.mode === 'shared') return { credential_id: Number(draft.id) }
  if (draft.mode === 'own') return { credential: { kind, username, secret } }
  const saved = await api.post<Credential>('/api/credentials', { name, kind, username, secret })
  return { credential_id: saved.id }
}

interface Props {
  draft: CredentialDraft
  onChange: (draft: CredentialDraft) => void
  sets: readonly Credential[]
  error: unknown
}

/** Which account speaks to the host: a set shared by many hosts, a new such set, or this host's own. */
export function CredentialFields({ draft, onChange, sets, error }: Props) {
  const set = (change: Partial<CredentialDraft>) => onChange({ ...draft, ...change })
  const wrong = (field: string) => fieldError(error, field) ?? fieldError(error, `credential.${field}`)
  return (
    <div className="form">
      <SegmentedControl aria-label={t('credential.which')} value={draft.mode} onChange={(mode) => set({ mode: mode as CredentialDraft['mode'] })}
        data={[{ value: 'shared', label: t('credential.shared'), disabled: sets.length === 0 }, { value: 'new', label: t('credential.new') }, { value: 'own', label: t('credential.own') }]} />
      {draft.mode === 'shared' ? (
        <Select label={t('credential.set')} description={t('credential.set_hint')} required data={sets.map((one) => ({ value: String(one.id), label: `${one.name} · ${one.username} · ${t('credential.hosts', { n: one.host_count })}` }))} value={draft.id} onChange={(id) => set({ id })} error={wrong('credential_id')} allowDeselect={false} />
      ) : (
        <>
          {draft.mode === 'new' && <TextInput label={t('credential.name')} required value={draft.name} placeholder={t('credential.name_example')} error={wrong('name')} onChange={(event) => set({ name: event.currentTarget.value })} />}
          <SegmentedControl aria-label={t('credential.kind')} value={draft.kind} onChange={(kind) => set({ kind: kind as CredentialDraft['kind'], username: kind === 'token' ? 'root@pam!pharmq' : 'root@pam' })} data={[{ value: 'password', label: t('credential.password') }, { value: 'token', label: t('credential.token') }]} />
          <TextInput label={draft.kind === 'token' ? t('credential.token_id') : t('credential.username')} required value={draft.username} autoComplete="off" spellCheck={false} error={wrong('username')} onChange={(event) => set({ username: event.currentTarget.value })} />
          <PasswordInput label={draft.kind === 'token' ? t('credential.token_secret') : t('login.password')} required value={draft.secret} autoComplete="new-password" error={wrong('secret')} onChange={(event) => set({ secret: event.currentTarget.value })} />
        </>
      )}
    </div>
  )
}
