import type { consoles as source } from '../ko/consoles'

export const consoles: Readonly<Record<keyof typeof source, string>> = {
  'console.state.connecting': 'Connecting', 'console.state.connected': 'Connected', 'console.state.view_only': 'View only',
  'console.state.reconnecting': 'Reconnecting', 'console.state.lost': 'Lost', 'console.none': 'No console is open.', 'console.none_remedy': 'Choose [Open screen] at a pharmacy or in All VMs.',
  'console.find': 'Find a pharmacy or VM', 'console.close': 'Close screen', 'console.full': 'Full screen', 'console.leave_full': 'Leave full screen', 'console.reconnect': 'Reconnect',
  'console.toolbar': 'Screen tools', 'console.keys': 'Keys', 'console.touch_keyboard': 'Keyboard', 'console.fit': 'Fit', 'console.actual': 'Actual size', 'console.view_only': 'View only', 'console.power': 'Power',
  'console.tiling': 'Tiling', 'console.tile1': 'One at a time', 'console.tile4': '2×2', 'console.tile9': '3×3',
  'console.last_picture': 'last picture {at}', 'console.retry_in': 'Reconnects by itself in {n|second/seconds}.', 'console.retrying': 'Reconnecting now.',
  'console.diagnose': 'Diagnose', 'console.start_open': 'Start, then open', 'console.open_pharmacy': 'Open pharmacy',
  'failure.ui.picture_unreadable.title': 'The screen was cut.', 'failure.ui.picture_unreadable.why': 'The browser could not read the picture it received.', 'failure.ui.picture_unreadable.remedy': 'Try again. If it happens again, update the browser.',
}
