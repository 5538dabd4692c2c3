import { expect, test } from 'vitest'

import { filterOf, hasTargets, howBody, howOf, isHarmless, isTold, isTyped, mustType, NO_FILTER, NO_TARGETS, optionsBody, pathOf, searchOf, targetsBody, type Targets } from './order'

const targets = (more: Partial<Targets>): Targets => ({ ...NO_TARGETS, ...more })
const vm = (vm_id: number, gone = false) => ({ vm_id, host_id: 3, vmid: 100 + vm_id, vm_name: 'POS', pharmacy_id: 1, pharmacy_name: '강남', gone })

test('only what was said is sent, and only what the verb knows', () => {
  expect(optionsBody({ verb: 'shutdown', options: { canary: 0, stop_above_percent: 0, ready_s: 60, order_pause_s: 5 } })).toEqual({ stop_above_percent: 0 })
  expect(optionsBody({ verb: 'start', options: { ready_s: 60, order: ['server', 'pos'], order_pause_s: 5 } })).toEqual({ ready_s: 60, order: ['server', 'pos'], order_pause_s: 5 })
  expect(optionsBody({ verb: 'rollback', options: { snapshot: { name: 'before', description: 'x', memory: true, start: true } } })).toEqual({ snapshot: { name: 'before', start: true } })
  expect(optionsBody({ verb: 'backup', options: {} })).toEqual({})
})

test('cutting the power is stop with force; a shutdown is forced only when asked', () => {
  expect(howBody(howOf('stop')).force).toBe(true)
  expect(howBody(howOf('shutdown')).force).toBe(false)
  expect(howBody({ ...howOf('shutdown'), force: true, timeout_s: 90 })).toEqual({ force: true, timeout_s: 90, options: {} })
  expect(howBody({ ...howOf('reset'), force: true, timeout_s: 90 })).toEqual({ force: false, options: {} })
})

test('gone VMs are not sent; an empty filter means all, and must be meant', () => {
  expect(targetsBody(targets({ by: 'list', vms: [vm(1), vm(2, true)] }))).toEqual({ vms: [{ host_id: 3, vmid: 101 }] })
  expect(targetsBody(targets({}))).toEqual({ filter: {} })
  expect([hasTargets(targets({})), hasTargets(targets({ everything: true })), hasTargets(targets({ by: 'list', vms: [vm(2, true)] }))]).toEqual([false, true, false])
})

test('what is asked for stands in the address and is read from it', () => {
  const filter = { ...NO_FILTER, type: ['pos' as const], group_id: [2, 3], q: '강남' }
  const search = searchOf(targets({ filter }))
  expect(search).toEqual({ type: 'pos', group_id: '2,3', q: '강남' })
  expect(filterOf(search)).toEqual(filter)
  expect(filterOf({ type: 'pos,nonsense', pharmacy_id: '1,x,-2' })).toEqual({ ...NO_FILTER, type: ['pos'], pharmacy_id: [1] })
  expect(searchOf(targets({ by: 'list', vms: [vm(1), vm(2)] }))).toEqual({ vms: '1,2' })
})

test('the number is typed for many, or for what takes something from an open pharmacy', () => {
  expect(mustType(howOf('start'), 10, 3)).toBeUndefined()
  expect(mustType(howOf('start'), 11, 0)).toBe('11')
  expect(mustType(howOf('shutdown'), 1, 1)).toBe('1')
  expect(isHarmless({ verb: 'backup', options: { backup: { mode: 'stop' } } })).toBe(false)
  expect(isTyped('１１', '11')).toBe(true)
  expect(isTyped('1', '11')).toBe(false)
})

test('each verb has its address', () => {
  expect([pathOf('reboot'), pathOf('backup'), pathOf('onboot')]).toEqual(['/api/vms/batch/reboot', '/api/vms/protect/backup', '/api/vms/onboot'])
})

test('a number that is still being typed is sent within its bounds', () => {
  expect(optionsBody({ verb: 'start', options: { ready_s: 1, per_host: 999, stop_above_percent: 400 } })).toEqual({ ready_s: 5, per_host: 20, stop_above_percent: 100 })
  expect(howBody({ ...howOf('shutdown'), timeout_s: 36_000 }).timeout_s).toBe(3600)
})

test('a snapshot has a name, a storage one that Proxmox would take', () => {
  const told = (verb: 'snapshot' | 'backup' | 'start', options: object) => isTold({ ...howOf(verb), options })
  expect([told('snapshot', {}), told('snapshot', { snapshot: { name: '업데이트' } }), told('snapshot', { snapshot: { name: 'before-update' } })]).toEqual([false, false, true])
  expect([told('backup', {}), told('backup', { backup: { storage: '1 x' } }), told('backup', { backup: { storage: 'nas.1' } }), told('start', {})]).toEqual([true, false, true, true])
})
