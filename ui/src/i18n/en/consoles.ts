import type { consoles as source } from '../ko/consoles'

export const consoles: Readonly<Record<keyof typeof source, string>> = {
  'console.state.connecting': 'Connecting', 'console.state.connected': 'Connected', 'console.state.view_only': 'View only',
  'console.state.reconnecting': 'Reconnecting', 'console.state.lost': 'Lost', 'console.none': 'No console is open.', 'console.none_remedy': 'Press [Open screen] at a pharmacy or in All VMs.',
}
