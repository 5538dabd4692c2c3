import { t } from '@/i18n'
import { store, useHost, useVm } from '@/live/store'

import type { ConsoleTab } from './screen'

export interface Names {
  pharmacyId: number | undefined
  pharmacy: string
  /** The VM's name; of a terminal or shell, with the word for it. */
  name: string
}

type Facts = { pharmacy_id: number; pharmacy_name: string } | undefined

function names({ kind }: ConsoleTab, vm: (Facts & { vm_name: string }) | undefined, host: (Facts & { node: string | null }) | undefined): Names {
  const at = kind === 'shell' ? host : vm
  const name = kind === 'shell' ? t('console.shell_of', { node: host?.node }) : kind === 'terminal' ? t('console.terminal_of', { vm: vm?.vm_name }) : (vm?.vm_name ?? '–')
  return { pharmacyId: at?.pharmacy_id, pharmacy: at?.pharmacy_name ?? '', name }
}

/** Whose screen a console shows, live. */
export const useNames = (tab: ConsoleTab): Names => names(tab, useVm(tab.vmId), useHost(tab.hostId))
export const namesOf = (tab: ConsoleTab): Names => names(tab, store.row('vms', tab.vmId), store.row('hosts', tab.hostId))
