import type { vms as source } from '../ko/vms'

export const vms: Readonly<Record<keyof typeof source, string>> = {
  'vms.title': 'All VMs',
  'power.ask': '{verb} {name}?', 'power.sent': '{verb}: job sent.',
}
