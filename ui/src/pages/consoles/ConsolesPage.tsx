import { useMediaQuery } from '@mantine/hooks'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { openPalette } from '@/app/palette-store'
import { closeConsole, consoleTabs, ensureConsole, useConsoleTabs, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { Icon, type IconName } from '@/parts/Icon'

import { ConsoleSign } from './ConsoleSign'
import { Tile } from './Tile'
import { Toolbar } from './Toolbar'

import '@/parts/segments.css'
import './consoles.css'

const TILINGS: readonly (readonly [1 | 4 | 9, IconName])[] = [[1, 'tile1'], [4, 'tile4'], [9, 'tile9']]

/** The tiling that was left, for coming back by the menu. */
const left: { tiles?: number } = {}
const leave = (tiles: number | undefined): void => {
  left.tiles = tiles
}

function Tab({ tab, on, onPick, onClose }: { tab: ConsoleTab; on: boolean; onPick: () => void; onClose: () => void }) {
  const vm = useVm(tab.vmId)
  const tone = tab.state === 'lost' ? 'off' : tab.state === 'connected' || tab.state === 'view_only' ? 'run' : 't3'
  return (
    <li className={on ? 'console-tab on' : 'console-tab'}>
      <button type="button" aria-current={on || undefined} onClick={onPick} onAuxClick={(event) => event.button === 1 && onClose()}>
        <ConsoleSign state={tab.state} />
        <span className="strong ellipsis">{vm?.vm_name ?? '–'}</span>
        <span className={`small nowrap ${tone}`}>{t(`console.state.${tab.state}`)}</span>
        <span className="small t2 ellipsis">{vm?.pharmacy_name}</span>
      </button>
      <button type="button" className="console-close" aria-label={`${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''} ${t('console.close')}`} onClick={onClose}><Icon name="close" size={14} /></button>
    </li>
  )
}

function None() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.consoles')}</h1></div>
      <div className="panel empty">
        <p className="strong">{t('console.none')}</p>
        <p>{t('console.none_remedy')}</p>
        <span className="row-flex">
          <button type="button" className="btn main" onClick={openPalette}><Icon name="search" />{t('console.find')}</button>
          <Link className="btn" to="/vms">{t('nav.vms')}</Link>
        </span>
      </div>
    </main>
  )
}

/** Full screen of the whole workspace: dialogs and the palette must stay above it. */
function useFullScreen(): [boolean, () => void] {
  const [full, setFull] = useState(document.fullscreenElement !== null)
  useEffect(() => {
    const note = () => setFull(document.fullscreenElement !== null)
    document.addEventListener('fullscreenchange', note)
    return () => document.removeEventListener('fullscreenchange', note)
  }, [])
  const toggle = () => {
    // Refused where the browser has no full screen (iPhone): the page already fills what there is.
    if (document.fullscreenElement) void document.exitFullscreen()
    else document.documentElement.requestFullscreen?.().catch(() => setFull(false))
  }
  return [full, toggle]
}

export function ConsolesPage() {
  const search = useSearch({ from: '/app/consoles' })
  const navigate = useNavigate({ from: '/consoles' })
  const tabs = useConsoleTabs()
  const phone = useMediaQuery('(max-width: 767px)')
  const [full, toggleFull] = useFullScreen()
  // The address names the open VM: a reload, or a link sent to a colleague, opens it.
  useEffect(() => {
    if (search.vm !== undefined) ensureConsole(search.vm)
  }, [search.vm])
  useEffect(() => {
    if (search.tiles !== undefined) leave(search.tiles)
    else if (left.tiles !== undefined && tabs.length > 1) void navigate({ search: (before) => ({ ...before, tiles: left.tiles }), replace: true })
  }, [search.tiles, tabs.length, navigate])
  if (tabs.length === 0) return <None />
  const framed = tabs.find((tab) => tab.vmId === search.vm) ?? tabs[0]!
  const tiles = phone || (search.tiles !== 4 && search.tiles !== 9) ? 1 : search.tiles
  const at = tabs.indexOf(framed)
  const first = Math.floor(at / tiles) * tiles
  const shown = tabs.slice(first, first + tiles)
  const show = (vm: number | undefined) => void navigate({ search: (before) => ({ ...before, vm }), replace: true })
  const close = (vmId: number) => {
    if (vmId === framed.vmId) show((tabs[at + 1] ?? tabs[at - 1])?.vmId)
    closeConsole(vmId)
  }
  const frame = (vmId: number) => {
    if (vmId !== framed.vmId && consoleTabs().some((tab) => tab.vmId === vmId)) show(vmId)
  }
  const tile = (n: 1 | 4 | 9, vm = framed.vmId) => {
    const next = n === 1 ? undefined : n
    leave(next)
    void navigate({ search: (before) => ({ ...before, vm, tiles: next }), replace: true })
  }
  const fill = (vm: number) => {
    tile(1, vm)
    toggleFull()
  }
  return (
    <main className={full ? 'consoles full' : 'consoles'}>
      <h1 className="sr">{t('nav.consoles')}</h1>
      <div className="console-tabs">
        <ul aria-label={t('nav.open_consoles')}>
          {tabs.map((tab) => <Tab key={tab.vmId} tab={tab} on={tab === framed} onPick={() => show(tab.vmId)} onClose={() => close(tab.vmId)} />)}
        </ul>
        <button type="button" className="btn ghost" onClick={openPalette}><Icon name="plus" /><span className="phone-hide">{t('act.open_screen')}</span></button>
        <span className="end">
          <span className="segments" role="group" aria-label={t('console.tiling')}>
            {TILINGS.map(([n, icon]) => (
              <button key={n} type="button" aria-pressed={tiles === n} aria-label={t(`console.tile${n}`)} title={t(`console.tile${n}`)} onClick={() => tile(n)}>
                <Icon name={icon} />
              </button>
            ))}
          </span>
        </span>
      </div>
      <Toolbar tab={framed} full={full} onFull={toggleFull} />
      <div className={`tiles t${tiles}`}>
        {shown.map((tab) => <Tile key={tab.vmId} tab={tab} framed={tab === framed} head={tiles > 1} onFrame={frame} onClose={close} onFull={() => fill(tab.vmId)} />)}
      </div>
    </main>
  )
}
