import { Modal, Textarea } from '@mantine/core'

import { ApiError } from '@/api/client'
import type { ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { clockTime } from '@/i18n/format'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

/** What was copied in the VM, to be copied on. */
export function ClipboardDialog({ clipboard, onClose }: { clipboard: NonNullable<ConsoleTab['clipboard']>; onClose: () => void }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(clipboard.text)
      notifyDone(t('console.clipboard.copied'))
      onClose()
    } catch {
      notifyFailed(new ApiError(0, 'ui.clipboard_refused'))
    }
  }
  return (
    <Modal opened onClose={onClose} title={t('console.clipboard')} size={520}>
      <div className="form">
        <Textarea readOnly rows={6} value={clipboard.text} aria-label={t('console.clipboard')} description={t('console.clipboard.at', { at: clockTime(new Date(clipboard.at).toISOString()) })} data-autofocus onFocus={(event) => event.currentTarget.select()} />
        <div className="form-foot"><button type="button" className="btn main" onClick={() => void copy()}><Icon name="copy" />{t('console.clipboard.copy')}</button></div>
      </div>
    </Modal>
  )
}
