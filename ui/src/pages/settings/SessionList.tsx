import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import type { SessionRow } from '@/api/access-types'
import type { List } from '@/api/types'
import { t } from '@/i18n'
import { dayAndTime } from '@/i18n/format'
import { Ago } from '@/parts/bits'
import { Failure } from '@/parts/Failure'

/** "Chrome 142 · Windows" of a browser's own long line. */
export function browserWords(agent: string | null): string {
  if (!agent) return '–'
  const browser = /(Edg|OPR|Whale|SamsungBrowser|Chrome|Firefox|Version)\/(\d+)/.exec(agent)
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet', Version: 'Safari' }
  const chosen = /(Edg|OPR|Whale|SamsungBrowser)\/(\d+)/.exec(agent) ?? browser
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1]
  if (!chosen) return agent.slice(0, 40)
  return [`${names[chosen[1]!] ?? chosen[1]} ${chosen[2]}`, system].filter(Boolean).join(' · ')
}

/** Where somebody is signed in; one's own or, for those who manage access, another's. */
export function SessionList({ of }: { of: 'me' | number }) {
  const client = useQueryClient()
  const base = of === 'me' ? '/api/me/sessions' : `/api/users/${of}/sessions`
  const key = of === 'me' ? ['me', 'sessions'] : ['users', of, 'sessions']
  const rows = useQuery({ queryKey: key, queryFn: () => api.get<List<SessionRow>>(base) })
  const [error, setError] = useState<unknown>()
  const end = async (row: SessionRow) => {
    setError(undefined)
    try {
      await api.delete(`${base}/${row.key}`)
    } catch (caught) {
      setError(caught)
    }
    await client.invalidateQueries({ queryKey: key })
  }
  return (
    <section className="panel" aria-labelledby={`sessions-${of}`}>
      <header><h2 id={`sessions-${of}`}>{t('sessions.title')}</h2></header>
      <Failure error={rows.error ?? error} />
      {rows.data?.items.length === 0 && <p className="empty">{t('sessions.none')}</p>}
      {(rows.data?.items.length ?? 0) > 0 && (
        <table className="grid" aria-labelledby={`sessions-${of}`}>
          <thead><tr><th>{t('sessions.where')}</th><th>{t('sessions.browser')}</th><th>{t('sessions.since')}</th><th>{t('sessions.seen')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
          <tbody>
            {rows.data?.items.map((row) => (
              <tr key={row.key}>
                <td className="strong">{row.source ?? '–'}</td>
                <td title={row.user_agent ?? undefined}>{browserWords(row.user_agent)}{row.current && <> <span className="tag">{t('sessions.current')}</span></>}{row.locked && <> <span className="tag plain">{t('sessions.locked')}</span></>}</td>
                <td className="t2">{dayAndTime(row.created_at)}</td>
                <td className="t2"><Ago at={row.last_seen} /></td>
                <td className="acts">{!row.current && <button type="button" className="btn in-row" onClick={() => void end(row)}>{t('sessions.end')}</button>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
