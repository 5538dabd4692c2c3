/** What the forms over runtime settings share: values with what was changed, and saving of just that. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'

import { notifyDone } from './notify'

const PATH = '/api/settings'

/** `T`: the settings a form shows, a part of all. `related`: keys of queries that follow from them. `tidy`: done to a
 *  change before it is sent. */
export function useSettingsForm<T extends object>({ related = [], tidy = (change) => change }: { related?: readonly string[]; tidy?: (change: Partial<T>) => Partial<T> } = {}) {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['settings'], queryFn: () => api.get<T>(PATH) })
  const [draft, setDraft] = useState<Partial<T>>({})
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      // The server takes all settings at once: what others have saved since this form was opened stays.
      await api.put(PATH, { ...(await api.get<T>(PATH)), ...tidy(draft) })
      setDraft({})
      await Promise.all(['settings', ...related].map((key) => client.invalidateQueries({ queryKey: [key] })))
      notifyDone(t('settings.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return {
    /** Undefined until they are known. */
    values: query.data && { ...query.data, ...draft },
    set: (change: Partial<T>) => setDraft((before) => ({ ...before, ...change })),
    save: (event: React.SyntheticEvent) => void save(event),
    /** Of saving, by field. */
    error,
    failure: query.error ?? error,
    idle: busy || Object.keys(draft).length === 0,
  }
}
