import type { JobVerb } from '@/api/types'
import { store } from '@/live/store'

import { chosenIds, keptChoices } from '../choice'
import { filterOf, isOpenFilter, NO_TARGETS, type Chosen, type Targets, type TargetsSearch } from '../order'
import { chosenOf } from './VmPicker'

const VERBS: readonly JobVerb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset', 'suspend', 'resume', 'snapshot', 'rollback', 'snapshot_delete', 'backup', 'onboot']
export const JOB_VERBS = VERBS
export const verbOf = (word: string | undefined): JobVerb | undefined => VERBS.find((verb) => verb === word)

/** One that is not in the live store: gone, or not this person's to see. */
const unknown = (vm_id: number): Chosen => ({ vm_id, host_id: 0, vmid: 0, vm_name: '', pharmacy_id: 0, pharmacy_name: '', gone: true })

/** What an address asks for; rows come from the live store, so it must be ready. */
export function targetsOf(search: TargetsSearch): Targets {
  const ids = chosenIds(search, keptChoices())
  const vms = (ids ?? []).map((id) => {
    const vm = store.row('vms', id)
    return vm ? chosenOf(vm) : unknown(id)
  })
  const filter = filterOf(search)
  return { ...NO_TARGETS, by: ids?.length === 0 ? 'filter' : 'list', vms, lost: ids === undefined, filter, everything: search.all === true && isOpenFilter(filter) }
}
