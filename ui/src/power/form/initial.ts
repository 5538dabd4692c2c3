import type { JobVerb } from '@/api/types'
import { store } from '@/live/store'

import { filterOf, isOpenFilter, listedIds, NO_TARGETS, type Targets, type TargetsSearch } from '../order'
import { chosenOf } from './VmPicker'

const VERBS: readonly JobVerb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset', 'suspend', 'resume', 'snapshot', 'rollback', 'snapshot_delete', 'backup', 'onboot']
export const JOB_VERBS = VERBS
export const verbOf = (word: string | undefined): JobVerb | undefined => VERBS.find((verb) => verb === word)

/** What an address asks for; rows come from the live store, so it must be ready. */
export function targetsOf(search: TargetsSearch): Targets {
  const ids = listedIds(search)
  const vms = ids.map((id) => store.row('vms', id)).filter((vm) => vm !== undefined).map(chosenOf)
  const filter = filterOf(search)
  return { ...NO_TARGETS, by: ids.length > 0 ? 'list' : 'filter', vms, filter, everything: search.all === true && isOpenFilter(filter) }
}
