import { Select, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'

import { api } from '@/api/client'
import type { VmType } from '@/api/types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'

const KINDS: readonly VmType[] = ['kiosk', 'pos', 'server', 'backup', 'other']

interface Settings extends Record<string, unknown> {
  kind_rules: { kind: VmType; words: string[] }[]
}
interface Line {
  key: number
  kind: VmType
  words: string
}

const words = (text: string) => text.split(',').map((word) => word.trim()).filter(Boolean)

/** What a VM's name says of its kind: ordered, the first line that fits decides. */
export function KindRules() {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['settings'], queryFn: () => api.get<Settings>('/api/settings') })
  const [draft, setDraft] = useState<Line[]>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const next = useRef(1000)
  const lines = draft ?? query.data?.kind_rules.map((rule, key) => ({ key, kind: rule.kind, words: rule.words.join(', ') })) ?? []
  const change = (key: number, part: Partial<Line>) => setDraft(lines.map((line) => (line.key === key ? { ...line, ...part } : line)))
  const move = (at: number, to: number) => setDraft(lines.with(at, lines[to]!).with(to, lines[at]!))
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const rules = lines.map((line) => ({ kind: line.kind, words: words(line.words) })).filter((rule) => rule.words.length > 0)
      await api.put('/api/settings', { ...(await api.get<Settings>('/api/settings')), kind_rules: rules })
      setDraft(undefined)
      await client.invalidateQueries({ queryKey: ['settings'] })
      notifyDone(t('settings.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="panel" aria-labelledby="kinds-title">
      <header><h2 id="kinds-title">{t('kinds.title')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => void save(event)}>
        <p className="t2">{t('kinds.hint')}</p>
        <Failure error={query.error ?? error} />
        <ol className="kind-rules">
          {lines.map((line, at) => (
            <li key={line.key}>
              <Select aria-label={t('vms.type')} data={KINDS.map((value) => ({ value, label: t(`vm.type.${value}`) }))} value={line.kind} allowDeselect={false} onChange={(kind) => kind && change(line.key, { kind })} />
              <TextInput aria-label={t('kinds.words')} placeholder={t('kinds.example')} value={line.words} spellCheck={false} onChange={(event) => change(line.key, { words: event.currentTarget.value })} />
              <span className="row-flex">
                <button type="button" className="btn icon in-row" aria-label={t('kinds.up')} disabled={at === 0} onClick={() => move(at, at - 1)}><Icon name="up" size={14} /></button>
                <button type="button" className="btn icon in-row" aria-label={t('kinds.down')} disabled={at === lines.length - 1} onClick={() => move(at, at + 1)}><Icon name="down" size={14} /></button>
                <button type="button" className="btn icon in-row" aria-label={t('kinds.remove')} onClick={() => setDraft(lines.filter((one) => one.key !== line.key))}><Icon name="trash" size={14} /></button>
              </span>
            </li>
          ))}
        </ol>
        {fieldError(error, 'kind_rules') && <p className="failure why" role="alert">{fieldError(error, 'kind_rules')}</p>}
        <div className="form-foot">
          <button type="button" className="btn" onClick={() => setDraft([...lines, { key: next.current++, kind: 'pos', words: '' }])}><Icon name="plus" />{t('kinds.add')}</button>
          <button type="submit" className="btn main" disabled={busy || !draft}>{t('act.save')}</button>
        </div>
      </form>
    </section>
  )
}
