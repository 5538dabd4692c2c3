import { useState } from 'react'

import { ApiError } from '@/api/client'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

function Find({ tab, onClose }: { tab: ConsoleTab; onClose: () => void }) {
  const [text, setText] = useState('')
  const [found, setFound] = useState(true)
  const find = (backwards: boolean, wanted = text) => setFound(!wanted || (screenOf(tab.key)?.terminal?.find(wanted, backwards) ?? false))
  const close = () => {
    screenOf(tab.key)?.terminal?.endFind()
    screenOf(tab.key)?.focus()
    onClose()
  }
  const key = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return
    if (event.code === 'Escape') close()
    if (event.code === 'Enter') find(!event.shiftKey)
  }
  return (
    <span className="row-flex">
      <span className="search-field">
        <Icon name="search" />
        <input aria-label={t('console.find_text')} placeholder={t('console.find_text')} value={text} autoFocus onKeyDown={key} onChange={(event) => { setText(event.currentTarget.value); find(true, event.currentTarget.value) }} />
        <button type="button" className="console-close" aria-label={t('act.close')} onClick={close}><Icon name="close" size={14} /></button>
      </span>
      <button type="button" className="btn ghost icon" aria-label={t('console.find_up')} title={t('console.find_up')} onClick={() => find(true)}><Icon name="up" /></button>
      <button type="button" className="btn ghost icon" aria-label={t('console.find_down')} title={t('console.find_down')} onClick={() => find(false)}><Icon name="down" /></button>
      <span className="small off" role="status">{!found && t('console.find_none')}</span>
    </span>
  )
}

/** Acts on a terminal: search, copy, paste, the letters' size. */
export function TerminalTools({ tab }: { tab: ConsoleTab }) {
  const [finding, setFinding] = useState(false)
  const terminal = () => screenOf(tab.key)?.terminal
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(terminal()?.copied() ?? '')
      notifyDone(t('console.clipboard.copied'))
    } catch {
      notifyFailed(new ApiError(0, 'ui.clipboard_refused'))
    }
  }
  const paste = async () => {
    try {
      terminal()?.paste(await navigator.clipboard.readText())
    } catch {
      notifyFailed(new ApiError(0, 'ui.clipboard_refused'))
    }
  }
  return (
    <>
      {finding ? <Find tab={tab} onClose={() => setFinding(false)} /> : <button type="button" className="btn ghost" onClick={() => setFinding(true)}><Icon name="search" />{t('console.find_text')}</button>}
      <button type="button" className="btn ghost" onClick={() => void copy()}><Icon name="copy" />{t('act.copy')}</button>
      <button type="button" className="btn ghost" disabled={tab.state !== 'connected'} onClick={() => void paste()}><Icon name="paste" />{t('console.paste_terminal')}</button>
      <button type="button" className="btn ghost icon" aria-label={t('console.smaller')} title={t('console.smaller')} onClick={() => terminal()?.resizeFont(-1)}>A−</button>
      <button type="button" className="btn ghost icon" aria-label={t('console.larger')} title={t('console.larger')} onClick={() => terminal()?.resizeFont(1)}>A+</button>
    </>
  )
}
