import { Modal, SegmentedControl, Textarea } from '@mantine/core'
import { useState } from 'react'

import { ApiError } from '@/api/client'
import type { HangulKey } from '@/consoles/keys'
import { setPrefs, usePrefs, type Pace, type Prefs } from '@/consoles/prefs'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { planTyping } from '@/consoles/typing'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { Icon, Sign } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

const HANGUL = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/

function Choice<T extends string>({ label, value, data, onChange }: { label: string; value: T; data: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  return (
    <div className="paste-choice">
      <span className="small t2" aria-hidden="true">{label}</span>
      <SegmentedControl aria-label={label} size="xs" value={value} onChange={(next) => onChange(next as T)} data={data.map(([key, word]) => ({ value: key, label: word }))} />
    </div>
  )
}

function Progress({ typing, onStop }: { typing: NonNullable<ConsoleTab['typing']>; onStop: () => void }) {
  return (
    <div className="row-flex" role="status">
      <span className="nowrap">{t('console.paste.typing', typing)}</span>
      <span className="bar progress grow" aria-hidden="true"><i><b style={{ width: `${(100 * typing.done) / Math.max(1, typing.total)}%` }} /></i></span>
      <button type="button" className="btn" onClick={onStop}>{t('console.paste.stop')}</button>
    </div>
  )
}

/** Text typed into a VM as if by a keyboard; says before which characters cannot be. */
export function PasteDialog({ tab, onClose }: { tab: ConsoleTab; onClose: () => void }) {
  const [text, setText] = useState('')
  const { way, hangulKey, pace } = usePrefs()
  const vm = useVm(tab.vmId)
  const hands = screenOf(tab.key)?.hands
  const container = vm?.guest_type === 'lxc'
  const live = tab.state === 'connected'
  const plan = planTyping(text, container ? 'plain' : way, hangulKey)
  const lost = new Set(plan.lost)
  const letters = Array.from(text.normalize('NFC')).filter((letter) => !lost.has(letter)).length
  const close = () => {
    onClose()
    setTimeout(() => screenOf(tab.key)?.focus(), 0)
  }
  const type = async () => {
    const typed = await hands?.typeText(text)
    if (typed?.whole) {
      notifyDone(t('console.paste.done'))
      close()
    } else if (typed) notifyDone(t('console.paste.cut', { done: typed.done, total: typed.total }))
  }
  const take = async () => {
    try {
      setText(await navigator.clipboard.readText())
    } catch {
      notifyFailed(new ApiError(0, 'ui.clipboard_refused'))
    }
  }
  const give = () => {
    hands?.giveClipboard(text)
    notifyDone(t('console.paste.sent'))
    close()
  }
  const choose = <K extends keyof Prefs>(name: K) => (value: Prefs[K]) => setPrefs({ [name]: value })
  const hangul = HANGUL.test(text) && !container
  return (
    <Modal opened onClose={close} title={`${t('console.paste')} · ${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''}`} size={560} closeOnClickOutside={false} returnFocus={false}>
      <form className="form" onSubmit={(event) => { event.preventDefault(); void type() }}>
        <Textarea
          label={t('console.paste.text')} description={t('console.paste.hint')} rows={6} value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus disabled={tab.typing !== undefined}
          autoComplete="off" spellCheck={false}
          onKeyDown={(event) => {
            if (event.code === 'Enter' && event.ctrlKey && !event.nativeEvent.isComposing) event.currentTarget.form?.requestSubmit()
          }}
        />
        <div className="paste-choices">
          {hangul && <Choice label={t('console.paste.way')} value={way} onChange={choose('way')} data={[['keys', t('console.paste.way.keys')], ['symbols', t('console.paste.way.symbols')]]} />}
          {hangul && way === 'keys' && <Choice<HangulKey> label={t('console.paste.hangul_key')} value={hangulKey} onChange={choose('hangulKey')} data={[['lang1', t('console.paste.hangul_key.lang1')], ['right_alt', t('console.paste.hangul_key.right_alt')]]} />}
          <Choice<Pace> label={t('console.paste.pace')} value={pace} onChange={choose('pace')} data={[['quick', t('console.paste.pace.quick')], ['slow', t('console.paste.pace.slow')]]} />
        </div>
        {plan.toggles && <p className="small t2">{t('console.paste.toggles')}</p>}
        {hangul && way === 'symbols' && <p className="small t2">{t('console.paste.symbols')}</p>}
        {plan.lost.length > 0 && (
          <p className="paste-lost" role="status">
            <Sign name="warning" />
            <span>{t(container ? 'console.paste.lost_container' : 'console.paste.lost', { n: plan.lost.length })} <span className="strong">{plan.lost.slice(0, 40).map((one) => (one.trim() && !/\p{C}/u.test(one) ? one : `U+${one.codePointAt(0)?.toString(16).padStart(4, '0').toUpperCase()}`)).join(' ')}</span></span>
          </p>
        )}
        {tab.typing ? <Progress typing={tab.typing} onStop={() => hands?.stopTyping()} /> : (
          <div className="form-foot">
            <button type="button" className="btn" onClick={() => void take()}><Icon name="paste" />{t('console.paste.from_here')}</button>
            <span className="grow" />
            {!container && <button type="button" className="btn" disabled={!live || !text} title={t('console.paste.clipboard_hint')} onClick={give}>{t('console.paste.clipboard')}</button>}
            <button type="submit" className="btn main" disabled={!live || plan.strokes.length === 0}>{t('console.paste.type', { n: letters })}</button>
          </div>
        )}
      </form>
    </Modal>
  )
}
