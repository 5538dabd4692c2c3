import { Modal, TextInput } from '@mantine/core'
import { useState } from 'react'

import { t } from '@/i18n'

import { Failure } from './Failure'

interface Props {
  /** Names what is touched, as a question. */
  title: string
  /** What it costs. */
  detail: React.ReactNode
  /** A noun that says the act: "12대 종료". */
  button: string
  act: () => Promise<void>
  onClose: () => void
  /** Must be typed before the button works, for what cannot be taken back. */
  typed?: string
}

/** The question before a destructive act. */
export function Confirm({ title, detail, button, act, onClose, typed }: Props) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const run = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await act()
      onClose()
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={title} size={480}>
      <form className="form" onSubmit={(event) => void run(event)}>
        <div>{detail}</div>
        <Failure error={error} />
        {typed && <TextInput label={t('confirm.type', { typed })} value={text} onChange={(event) => setText(event.currentTarget.value)} autoComplete="off" />}
        <div className="form-foot">
          <button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button>
          <button type="submit" className="btn main" disabled={busy || (typed !== undefined && text.trim() !== typed)}>{button}</button>
        </div>
      </form>
    </Modal>
  )
}
