/** Ctrl-K: from the ring of the phone to the right screen without the mouse. */
import { Modal, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'

import { api } from '@/api/client'
import type { HostStatus, List, PharmacyState, SearchHit, VmStatus } from '@/api/types'
import { openConsole } from '@/consoles/tabs'
import { currentLang, setLang, t } from '@/i18n'
import { inField, isComposing } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { HostState, PharmacyStateMark, VmState } from '@/parts/State'

import { closePalette, openPalette, usePaletteOpen } from './palette-store'
import { PAGES } from './Shell'

import './palette.css'

interface Entry {
  key: string
  title: string
  subtitle: string
  mark: React.ReactNode
  hint?: string
  run: (alternative: boolean) => void
}

/** The input as asked of the server: settled for a moment, so that typing does not flood it. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return settled
}

const NONE: SearchHit[] = []

function useHits(q: string, composing: boolean) {
  const asked = useSettled(q.trim(), 60)
  const query = useQuery({
    queryKey: ['search', asked],
    queryFn: ({ signal }) => api.get<List<SearchHit>>('/api/search', { query: { q: asked, limit: 20 }, signal }),
    enabled: asked !== '',
    placeholderData: keepPreviousData,
  })
  const found = asked === '' ? NONE : (query.data?.items ?? NONE)
  // A half-composed syllable may match nothing for a moment: what was found just before stays.
  const [last, setLast] = useState(found)
  const keep = composing && found.length === 0 && asked !== ''
  if (!keep && last !== found) setLast(found)
  const hits = keep ? last : found
  return { hits, error: query.error, settled: asked === q.trim() && !query.isPlaceholderData && !query.isFetching }
}

function mark(hit: SearchHit): React.ReactNode {
  if (hit.type === 'vm') return <VmState status={hit.status as VmStatus} />
  if (hit.type === 'host') return <HostState status={hit.status as HostStatus} />
  return <PharmacyStateMark state={hit.status as PharmacyState} />
}

function useEntries(hits: SearchHit[], q: string): Entry[] {
  const navigate = useNavigate()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  return useMemo(() => {
    const found = hits.map((hit): Entry => ({
      key: `${hit.type}-${hit.id}`,
      title: hit.title,
      subtitle: hit.subtitle,
      mark: mark(hit),
      hint: hit.type === 'vm' ? t('palette.open_screen') : undefined,
      run: (alternative) => {
        if (hit.type === 'vm' && !alternative) openConsole(hit.id)
        else if (hit.type === 'host' && !alternative) void navigate({ to: '/hosts/$hostId', params: { hostId: hit.id } })
        else void navigate({ to: '/pharmacies/$pharmacyId', params: { pharmacyId: hit.type === 'pharmacy' ? hit.id : (hit.pharmacy_id ?? 0) }, search: {} })
      },
    }))
    const actions: Entry[] = [
      ...PAGES.map((item): Entry => ({
        key: item.to, title: t('palette.go', { page: t(item.label) }), subtitle: '', mark: <Icon name={item.icon} />,
        run: () => void navigate({ to: item.to }),
      })),
      { key: 'schedules', title: t('palette.go', { page: t('schedules.title') }), subtitle: '', mark: <Icon name="clock" />, run: () => void navigate({ to: '/schedules' }) },
      { key: 'add-schedule', title: t('schedules.add'), subtitle: '', mark: <Icon name="plus" />, run: () => void navigate({ to: '/schedules/new' }) },
      { key: 'new-job', title: t('jobs.new'), subtitle: '', mark: <Icon name="plus" />, run: () => void navigate({ to: '/jobs/new' }) },
      { key: 'add-host', title: t('palette.add_host'), subtitle: '', mark: <Icon name="plus" />, run: () => void navigate({ to: '/hosts', search: { add: true } }) },
      { key: 'theme', title: t('palette.theme'), subtitle: '', mark: <Icon name="moon" />, run: () => setColorScheme(scheme === 'dark' ? 'light' : 'dark') },
      { key: 'lang', title: t('palette.language'), subtitle: '', mark: <Icon name="settings" />, run: () => void setLang(currentLang() === 'ko' ? 'en' : 'ko') },
    ]
    const asked = q.trim().toLowerCase()
    return [...found, ...actions.filter((action) => asked === '' || action.title.toLowerCase().includes(asked))]
  }, [hits, q, navigate, scheme, setColorScheme])
}

function PaletteBody() {
  const [q, setQ] = useState('')
  const [composing, setComposing] = useState(false)
  const [at, setAt] = useState(0)
  /** Enter pressed before the answer to what is typed came: it runs when it comes. */
  const [pending, setPending] = useState<{ alternative: boolean } | null>(null)
  const { hits, error, settled } = useHits(q, composing)
  const entries = useEntries(hits, q)
  const list = useRef<HTMLUListElement>(null)
  const current = Math.min(at, entries.length - 1)

  const run = (entry: Entry | undefined, alternative: boolean) => {
    if (!entry) return
    closePalette()
    entry.run(alternative)
  }
  const latest = useRef(run)
  useEffect(() => {
    latest.current = run
  })
  useEffect(() => {
    if (pending && settled) latest.current(entries[0], pending.alternative)
  }, [pending, settled, entries])
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' })
  }, [current])

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (isComposing(event)) return
    if (event.code === 'ArrowDown') setAt(Math.min(current + 1, entries.length - 1))
    else if (event.code === 'ArrowUp') setAt(Math.max(current - 1, 0))
    else if (event.code === 'Enter' || event.code === 'NumpadEnter') {
      if (q.trim() !== '' && !settled && at === 0) setPending({ alternative: event.shiftKey })
      else run(entries[current], event.shiftKey)
    } else return
    event.preventDefault()
  }
  return (
    <div className="palette">
      <label className="palette-field">
        <Icon name="search" />
        <span className="sr">{t('palette.title')}</span>
        <input
          // At once, not after a transition: the first letter typed after Ctrl-K must arrive here.
          autoFocus
          data-autofocus
          role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={current >= 0 ? `palette-${current}` : undefined}
          value={q} placeholder={t('top.search')} autoComplete="off" spellCheck={false}
          onChange={(event) => {
            setQ(event.currentTarget.value)
            setAt(0)
            setPending(null)
          }}
          onCompositionStart={() => setComposing(true)}
          onCompositionEnd={() => setComposing(false)}
          onKeyDown={onKeyDown}
        />
      </label>
      {q === '' && <p className="palette-note small t3">{t('palette.hint')}</p>}
      <Failure error={error} />
      {settled && q.trim() !== '' && entries.length === 0 && <p className="palette-note" role="status">{t('palette.empty')}</p>}
      <ul id="palette-list" role="listbox" aria-label={t('palette.results')} ref={list}>
        {entries.map((entry, index) => (
          // The keyboard works through the field (aria-activedescendant), as in every combobox.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li key={entry.key} id={`palette-${index}`} role="option" aria-selected={index === current} onPointerMove={() => setAt(index)} onClick={(event) => run(entry, event.shiftKey)}>
            <span className="palette-mark">{entry.mark}</span>
            <span className="strong ellipsis">{entry.title}</span>
            <span className="small t3 ellipsis grow">{entry.subtitle}</span>
            {entry.hint && index === current && <span className="small t3 nowrap">{entry.hint}</span>}
          </li>
        ))}
      </ul>
      <p className="palette-note small t3 phone-hide">{t('palette.keys')}</p>
    </div>
  )
}

export function Palette() {
  const open = usePaletteOpen()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // By the key's place, not its letter: with the Korean layout on, K types ㅏ.
      if ((event.ctrlKey || event.metaKey) && event.code === 'KeyK') {
        event.preventDefault()
        // Ours alone: a focused console would type it into its guest as well.
        event.stopPropagation()
        openPalette()
      } else if (event.code === 'Slash' && !event.ctrlKey && !event.metaKey && !event.altKey && !inField(event)) {
        const field = document.querySelector<HTMLInputElement>('[data-page-search]')
        event.preventDefault()
        if (field) field.focus()
        else openPalette()
      }
    }
    // A console's canvas must not swallow Ctrl-K before us.
    addEventListener('keydown', onKey, { capture: true })
    return () => removeEventListener('keydown', onKey, { capture: true })
  }, [])
  return (
    <Modal opened={open} onClose={closePalette} withCloseButton={false} padding={0} transitionProps={{ duration: 0 }} size={640} centered={false} yOffset={80} aria-label={t('palette.title')}>
      <PaletteBody />
    </Modal>
  )
}
