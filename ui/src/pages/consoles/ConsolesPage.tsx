import { useMediaQuery } from '@mantine/hooks'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'

import { openPalette } from '@/app/palette-store'
import { keyOfSearch, searchOf } from '@/consoles/place'
import { closeConsole, consoleTabs, ensureConsole, useConsoleTabs } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon, type IconName } from '@/parts/Icon'

import { useFullScreen, useKeyboardUp } from './full-screen'
import { KeyBar } from './KeyBar'
import { popOut } from './pop-out'
import { Tabs } from './Tabs'
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

export function ConsolesPage() {
  const search = useSearch({ from: '/app/consoles' })
  const navigate = useNavigate({ from: '/consoles' })
  const tabs = useConsoleTabs()
  const phone = useMediaQuery('(max-width: 767px)')
  const [full, toggleFull] = useFullScreen()
  const typing = useKeyboardUp()
  const wanted = keyOfSearch(search)
  // The address names the open VM: a reload, or a link sent to a colleague, opens it.
  useEffect(() => {
    if (wanted !== undefined) ensureConsole(wanted)
  }, [wanted])
  useEffect(() => {
    if (search.tiles !== undefined) leave(search.tiles)
    else if (left.tiles !== undefined && tabs.length > 1) void navigate({ search: (before) => ({ ...before, tiles: left.tiles }), replace: true })
  }, [search.tiles, tabs.length, navigate])
  if (tabs.length === 0) return <None />
  const framed = tabs.find((tab) => tab.key === wanted) ?? tabs[0]!
  const tiles = phone || (search.tiles !== 4 && search.tiles !== 9) ? 1 : search.tiles
  const heads = tiles > 1 || phone === true
  const at = tabs.indexOf(framed)
  const first = Math.floor(at / tiles) * tiles
  const shown = tabs.slice(first, first + tiles)
  const show = (key: string | undefined) => void navigate({ search: (before) => ({ ...before, ...searchOf(key) }), replace: true })
  const close = (key: string, successor = false) => {
    if (key === framed.key) show((tabs[at + 1] ?? tabs[at - 1])?.key)
    closeConsole(key, successor)
  }
  const frame = (key: string) => {
    if (key !== framed.key && consoleTabs().some((tab) => tab.key === key)) show(key)
  }
  const tile = (n: 1 | 4 | 9, key = framed.key) => {
    const next = n === 1 ? undefined : n
    leave(next)
    void navigate({ search: (before) => ({ ...before, ...searchOf(key), tiles: next }), replace: true })
  }
  /** The window has a session of its own, so this one ends. */
  const apart = (key: string) => popOut(key) && close(key, true)
  const fill = (key: string) => {
    tile(1, key)
    toggleFull()
  }
  return (
    <main className={`consoles${full ? ' full' : ''}${typing ? ' typing' : ''}`}>
      <h1 className="sr">{t('nav.consoles')}</h1>
      <div className="console-tabs">
        <Tabs tabs={tabs} framed={framed.key} onPick={show} onClose={(key) => close(key)} />
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
      <Toolbar tab={framed} full={full} onFull={toggleFull} people={!heads} onPopOut={() => apart(framed.key)} />
      <div className={`tiles t${tiles}`}>
        {shown.map((tab) => <Tile key={tab.key} tab={tab} framed={tab === framed} head={heads} onFrame={frame} onClose={(key) => close(key)} onFull={() => fill(tab.key)} onPopOut={apart} />)}
      </div>
      <KeyBar tab={framed} />
    </main>
  )
}
