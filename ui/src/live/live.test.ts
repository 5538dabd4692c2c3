import { expect, test, vi } from 'vitest'

import type { Summary, Vm } from '@/api/types'

import { noRows, read, SnapshotBuilder, World } from './model'
import { ordered, readSort } from './order'
import { LiveStore } from './store'

const vm = (id: number, status: Vm['status'] = 'running') => ({ id, status, vm_name: `VM-${id}` }) as Vm
const nothing = noRows()
const vmIds = (world: World | undefined) => (world ? [...world.maps.vms.keys()] : undefined)

test('a snapshot is whole when all its parts came, in any order', () => {
  const builder = new SnapshotBuilder()
  expect(builder.add({ epoch: 'a', seq: 5, part: 2, parts: 2, vms: [vm(2)] })).toBeUndefined()
  const whole = builder.add({ epoch: 'a', seq: 5, part: 1, parts: 2, vms: [vm(1)], summary: {} as Summary })
  expect(vmIds(whole)).toEqual([2, 1])
  expect(whole?.summary).toEqual({})
})

test('a part of another snapshot starts anew', () => {
  const builder = new SnapshotBuilder()
  builder.add({ epoch: 'a', seq: 5, part: 1, parts: 2, vms: [vm(1)] })
  expect(builder.add({ epoch: 'b', seq: 1, part: 1, parts: 2, vms: [vm(7)] })).toBeUndefined()
  expect(builder.midway).toBe(true)
  expect(vmIds(builder.add({ epoch: 'b', seq: 1, part: 2, parts: 2, vms: [vm(8)] }))).toEqual([7, 8])
  expect(builder.midway).toBe(false)
})

test('pages without VMs need not wait for VMs', () => {
  const store = new LiveStore()
  const part = (at: number, rows: object) => store.receive({ type: 'part', part: { epoch: 'a', seq: 1, part: at, parts: 4, summary: at === 0 ? ({} as Summary) : null, ...rows } })
  const seen = () => [store.world.placed, store.world.ready, store.rows('hosts').length, store.rows('vms').length]
  part(0, { pharmacies: [{ id: 1 }] })
  part(1, { hosts: [{ id: 4 }] })
  expect(seen()).toEqual([false, false, 0, 0])
  part(2, { hosts: [{ id: 5 }], vms: [vm(1)] })
  expect(seen()).toEqual([true, false, 2, 0])
  part(3, { vms: [vm(2)] })
  expect(seen()).toEqual([true, true, 2, 2])
})

test('rows of a part may stand in tables', () => {
  const vms = [['id', 'vm_name', 'status', 'tags'], [3, 'POS-1', 'running', ['a']], [4, 'POS-2', 'stopped', []]]
  const text = JSON.stringify({ epoch: 'a', seq: 1, part: 0, parts: 1, tables: { vms }, hosts: [{ id: 9 }] })
  expect(read({ type: 'text', as: 'part', text })).toEqual({
    type: 'part',
    part: { epoch: 'a', seq: 1, part: 0, parts: 1, hosts: [{ id: 9 }], vms: [{ id: 3, vm_name: 'POS-1', status: 'running', tags: ['a'] }, { id: 4, vm_name: 'POS-2', status: 'stopped', tags: [] }] },
  })
  expect(read({ type: 'text', as: 'delta', text: '{"seq":2}' })).toEqual({ type: 'delta', delta: { seq: 2 } })
})

test('a world in parts is the same world again', () => {
  const world = new World()
  world.replace({ ...nothing, vms: Array.from({ length: 1200 }, (_, at) => ({ ...vm(at + 1), pharmacy_id: 1 + (at % 3) })), hosts: [{ id: 4 } as never], summary: { n: 1 } as never })
  const builder = new SnapshotBuilder()
  const parts = [...world.parts('x')]
  const whole = parts.map((part) => builder.add(part)).at(-1)!
  expect(parts).toHaveLength(4)
  expect([whole.maps, whole.vmsOf, whole.summary]).toEqual([world.maps, world.vmsOf, world.summary])
  expect([...new World().parts('y')]).toHaveLength(1)
})

test("a pharmacy's VMs are another array when one of them changed, and the same one while they are only measured", () => {
  const world = new World()
  const at = (id: number, pharmacy_id: number) => ({ ...vm(id), pharmacy_id })
  world.replace({ ...nothing, vms: [at(1, 1), at(2, 1), at(3, 2)] })
  const [first, second] = [world.vmsOf.get(1), world.vmsOf.get(2)]
  world.apply({ seq: 2, samples: [[1, 0.5, 1, 1]] })
  expect(world.vmsOf.get(1)).toBe(first)
  world.apply({ seq: 3, set: { vms: [at(1, 1)] } })
  expect(world.vmsOf.get(1)).not.toBe(first)
  expect(world.vmsOf.get(1)).toEqual([1, 2])
  expect(world.vmsOf.get(2)).toBe(second)
  world.apply({ seq: 4, set: { vms: [at(3, 1), at(5, 4)] }, del: { vms: [2], pharmacies: [], hosts: [], jobs: [], screens: [] } })
  expect([...world.vmsOf]).toEqual([[1, [1, 3]], [4, [5]]])
})

test('deltas set and delete; events are newest first and bounded', () => {
  const world = new World()
  world.replace({ ...nothing, vms: [vm(1), vm(2)] })
  const { changed } = world.apply({ seq: 2, set: { vms: [vm(1, 'stopped')] }, del: { vms: [2, 99], pharmacies: [], hosts: [], jobs: [] } })
  expect(changed.vms).toEqual([1, 2])
  expect(world.maps.vms.get(1)?.status).toBe('stopped')
  expect(world.maps.vms.has(2)).toBe(false)
  for (let seq = 1; seq <= 150; seq += 1) world.apply({ seq, events: [{ seq } as never] })
  expect(world.events).toHaveLength(100)
  expect(world.events[0]?.seq).toBe(150)
})

test('measurements replace only themselves and disturb no list', () => {
  const store = new LiveStore()
  store.receive({ type: 'snapshot', rows: { ...nothing, vms: [vm(1)], hosts: [{ id: 4, host_ip: '10.0.0.4', last_check: null } as never] } })
  const members = vi.fn()
  const row = vi.fn()
  store.watchMembers('vms', members)
  store.watchRow('vms', 1, row)
  store.receive({ type: 'delta', delta: { seq: 2, samples: [[1, 0.5, 2048, 60], [9, 0, 0, 0]], host_samples: [[4, '2026-11-23T01:00:00Z', 0.1, 5, 6, '2026-11-23T01:00:00Z']] } })
  expect(store.row('vms', 1)).toMatchObject({ vm_name: 'VM-1', cpu: 0.5, memory_used_mb: 2048, uptime_s: 60 })
  expect(store.row('hosts', 4)).toMatchObject({ host_ip: '10.0.0.4', last_check: '2026-11-23T01:00:00Z', cpu: 0.1 })
  expect(row).toHaveBeenCalledTimes(1)
  expect(members).not.toHaveBeenCalled()
  store.receive({ type: 'delta', delta: { seq: 3, set: { vms: [vm(1, 'stopped')] } } })
  expect(members).toHaveBeenCalledTimes(1)
})

test('only the listeners of changed rows are told', () => {
  const store = new LiveStore()
  store.receive({ type: 'snapshot', rows: { ...nothing, vms: [vm(1), vm(2)] } })
  const one = vi.fn()
  const two = vi.fn()
  const stop = store.watchRow('vms', 1, one)
  store.watchRow('vms', 2, two)
  store.receive({ type: 'delta', delta: { seq: 2, set: { vms: [vm(1, 'stopped')] } } })
  expect(one).toHaveBeenCalledTimes(1)
  expect(two).not.toHaveBeenCalled()
  stop()
  store.receive({ type: 'delta', delta: { seq: 3, set: { vms: [vm(1)] } } })
  expect(one).toHaveBeenCalledTimes(1)
})

test('the list of a kind is the same array until that kind changes', () => {
  const store = new LiveStore()
  store.receive({ type: 'snapshot', rows: { ...nothing, vms: [vm(1)] } })
  const rows = store.rows('vms')
  store.receive({ type: 'delta', delta: { seq: 2, set: { hosts: [{ id: 1 } as never] } } })
  expect(store.rows('vms')).toBe(rows)
  store.receive({ type: 'delta', delta: { seq: 3, set: { vms: [vm(2)] } } })
  expect(store.rows('vms')).toHaveLength(2)
})

test('unknown values sort last in both directions', () => {
  const rows = [{ n: 2 }, { n: null }, { n: 1 }]
  expect(ordered(rows, (row) => row.n, false).map((row) => row.n)).toEqual([1, 2, null])
  expect(ordered(rows, (row) => row.n, true).map((row) => row.n)).toEqual([2, 1, null])
  expect(readSort('-cpu')).toEqual(['cpu', true])
})
