import { ApiError } from '@/api/client'
import { notifyFailed } from '@/parts/notify'

/** Opens a console in a window of its own, with a session of its own; false where the browser forbids windows. */
export function popOut(key: string): boolean {
  const opened = window.open(`/screen/${key}`, `pharmq-${key}`, 'popup,width=1280,height=880')
  if (!opened) notifyFailed(new ApiError(0, 'ui.window_blocked'))
  opened?.focus()
  return opened !== null
}
