/** What may be done to a VM now, by what its host said last. */
import type { Verb, Vm } from '@/api/types'

/** Its host does not answer, or no longer lists it: nothing can be sent. */
export const unreachable = (vm: Vm): boolean => vm.stale || vm.missing_since !== null

/** The one verb of the second slot. */
export const mainVerb = (vm: Vm): Verb => (vm.status === 'stopped' ? 'start' : vm.status === 'suspended' ? 'resume' : 'shutdown')

export function allowed(vm: Vm, verb: Verb): boolean {
  if (unreachable(vm) || vm.template || vm.task) return false
  if (verb === 'reset' && vm.guest_type === 'lxc') return false
  switch (verb) {
    case 'start':
      return vm.status !== 'running' && vm.status !== 'suspended'
    case 'resume':
      return vm.status === 'suspended' || vm.status === 'unknown'
    case 'stop':
      return vm.status !== 'stopped'
    default:
      return vm.status === 'running' || vm.status === 'unknown'
  }
}

export const hasScreen = (vm: Vm): boolean => !unreachable(vm) && vm.status !== 'stopped' && vm.console !== 'none'
