import { describe, expect, test } from 'vitest'

import type { Pharmacy, Vm } from '@/api/types'

import { allowed, hasScreen, mainVerb } from './acts'
import { arranged, Lines, picked, pickedAll, sameGroups, urgency, type Kept, type Known, type View, type Wanted } from './model'

const vm = (id: number, pharmacy_id: number, more: Partial<Vm> = {}): Vm =>
  ({
    id, pharmacy_id, host_id: pharmacy_id, vmid: 100 + id, vm_name: `VM-${id}`, vm_type: 'pos', status: 'running', host_status: 'online', tags: [],
    cpu: 0.1, memory_mb: 1024, memory_used_mb: 512, uptime_s: 1, ip_address: null, missing_since: null, stale: false, template: false, task: null, guest_type: 'qemu', console: 'vnc', ...more,
  }) as Vm
const place = (id: number, name: string, state: Pharmacy['state'], open = true, groups: number[] = []): Pharmacy =>
  ({ id, name, state, opening: { state: open ? 'open' : 'after', from: null, to: null }, groups: groups.map((group) => ({ id: group, name: '', kind: 'region' })), host_ids: [id] }) as unknown as Pharmacy

const places = new Map([place(1, '나약국', 'ok', true, [7]), place(2, '가약국', 'offline', false), place(3, '다약국', 'warning')].map((one) => [one.id, one]))
const of = (id: number) => places.get(id)
const vms = [vm(1, 1), vm(2, 1, { vm_type: 'kiosk', tags: ['a'], ip_address: '10.0.0.9' }), vm(3, 2, { status: 'stopped', cpu: null, ip_address: '10.0.0.10' }), vm(4, 3, { host_status: 'offline', tags: ['a', 'b'], cpu: 0.9 })]
const all = { found: null }
const homes = new Map([...Map.groupBy(vms, (one) => one.pharmacy_id)].map(([id, own]) => [id, own.map((one) => one.id)]))
const known: Known = { vmsOf: () => homes, vm: (id) => vms.find((one) => one.id === id), pharmacy: of }
const matching = (wanted: Wanted) => arranged(known, wanted, 'vmid', 'list').groups.flatMap((group) => group.ids)
const inOrder = (sort: string, view: View) => arranged(known, all, sort, view).groups.flatMap((group) => group.ids)

describe('filters', () => {
  test('values of one are alternatives, several must all hold', () => {
    expect(matching(all)).toEqual([1, 2, 3, 4])
    expect(matching({ ...all, type: 'kiosk,pos', status: 'running' })).toEqual([1, 2, 4])
    expect(matching({ ...all, tag: 'a', hostStatus: 'offline' })).toEqual([4])
    expect(matching({ ...all, groupId: 7 })).toEqual([1, 2])
    expect(matching({ found: new Set([3, 4]), pharmacyId: 3 })).toEqual([4])
  })
})

describe('order', () => {
  test('open before closed, offline before warning, the quiet ones last', () => {
    const states = [place(1, '', 'ok'), place(2, '', 'offline', false), place(3, '', 'warning'), place(4, '', 'offline'), place(5, '', 'maintenance')]
    expect(states.toSorted((a, b) => urgency(a) - urgency(b)).map((one) => one.id)).toEqual([4, 3, 2, 5, 1])
  })
  test('in the tree a pharmacy stays together under every order', () => {
    expect(inOrder('attention', 'tree')).toEqual([4, 3, 1, 2])
    expect(inOrder('pharmacy', 'tree')).toEqual([3, 1, 2, 4])
    expect(inOrder('-pharmacy', 'tree')).toEqual([4, 1, 2, 3])
    expect(inOrder('-vmid', 'tree')).toEqual([4, 3, 2, 1])
  })
  test('in the list a column orders everything; what is unknown comes last both ways; addresses go by value', () => {
    expect(inOrder('-cpu', 'list')).toEqual([4, 1, 2, 3])
    expect(inOrder('cpu', 'list')).toEqual([1, 2, 4, 3])
    expect(inOrder('ip', 'list').slice(0, 2)).toEqual([2, 3])
  })
})

describe('what is kept of a pharmacy', () => {
  test('holds while the array of its ids is the same', () => {
    const kept: Kept = new Map()
    const before = arranged(known, { ...all, status: 'running' }, 'attention', 'tree', kept)
    expect(before.places).toBe(2)
    const vmsOf = new Map([...homes, [2, [...homes.get(2)!]]])
    const started = { ...known, vmsOf: () => vmsOf, vm: (id: number) => ({ ...known.vm(id)!, status: 'running' }) as Vm }
    const after = arranged(started, { ...all, status: 'running' }, 'attention', 'tree', kept)
    expect(after.groups).toEqual([{ pharmacyId: 3, ids: [4] }, { pharmacyId: 2, ids: [3] }, { pharmacyId: 1, ids: [1, 2] }])
    expect(after.groups[0]).toBe(before.groups[0])
    expect(sameGroups(before.groups, after.groups)).toBe(false)
    expect(sameGroups(after.groups, arranged(started, { ...all, status: 'running' }, 'attention', 'tree').groups)).toBe(true)
  })
})

describe('lines', () => {
  const groups = [{ pharmacyId: 3, ids: [4] }, { pharmacyId: 1, ids: [1, 2] }]
  const totals = new Map([[1, 5], [3, 1]])
  const made = (view: View, closed: readonly number[]) => new Lines(groups, view, (id) => totals.get(id), new Set(closed))
  const each = (lines: Lines) => Array.from({ length: lines.length }, (_, index) => lines.at(index))
  test('a head before each group says how many of all are shown; a closed group keeps only its head', () => {
    const lines = made('tree', [3])
    expect(each(lines)).toEqual([
      { kind: 'group', pharmacyId: 3, ids: [4], total: 1, open: false },
      { kind: 'group', pharmacyId: 1, ids: [1, 2], total: 5, open: true },
      { kind: 'vm', id: 1, last: false },
      { kind: 'vm', id: 2, last: true },
    ])
    expect([lines.at(-1), lines.at(4)]).toEqual([undefined, undefined])
    expect([lines.vms, lines.allIds(), lines.shownIds(), lines.has(4), lines.has(9)]).toEqual([3, [4, 1, 2], [1, 2], true, false])
  })
  test('each line knows its head, and how many heads stand above it', () => {
    const lines = made('tree', [])
    expect([0, 1, 2, 3, 4].map((index) => lines.headOf(index))).toEqual([0, 0, 2, 2, 2])
    expect([0, 1, 2, 3, 4, 5].map((index) => lines.headsBefore(index))).toEqual([0, 1, 1, 2, 2, 2])
  })
  test('a list has no heads, and no lines when it is empty', () => {
    expect(each(made('list', [3])).map((item) => (item?.kind === 'vm' ? item.id : 0))).toEqual([4, 1, 2])
    expect(made('list', []).headsBefore(2)).toBe(0)
    expect(new Lines([], 'tree', () => 0, new Set()).length).toBe(0)
  })
})

describe('selection', () => {
  test('one by one, a range from the last one, all and none', () => {
    expect([...picked(new Set([1]), [1, 2, 3], 1, undefined, false)]).toEqual([])
    expect([...picked(new Set([1]), [1, 2, 3, 4], 3, 1, true)]).toEqual([1, 2, 3])
    expect([...picked(new Set([4]), [1, 2, 3, 4], 2, 4, true)].toSorted()).toEqual([2, 3, 4])
    expect([...picked(new Set(), [1, 2], 2, 99, true)]).toEqual([2])
    expect([...pickedAll(new Set([1]), [1, 2])]).toEqual([1, 2])
    expect([...pickedAll(new Set([1, 2, 3]), [1, 2])]).toEqual([3])
  })
})

describe('acts', () => {
  test('the second slot follows the state', () => {
    expect([vm(1, 1), vm(1, 1, { status: 'stopped' }), vm(1, 1, { status: 'suspended' })].map(mainVerb)).toEqual(['shutdown', 'start', 'resume'])
  })
  test('nothing is sent to what nobody can reach, nor beside a running task', () => {
    for (const gone of [{ stale: true }, { missing_since: '2026-01-01T00:00:00Z' }, { template: true }, { task: { verb: 'stop' } as Vm['task'] }]) expect(allowed(vm(1, 1, gone), 'shutdown')).toBe(false)
    expect(allowed(vm(1, 1), 'shutdown')).toBe(true)
    expect(allowed(vm(1, 1, { guest_type: 'lxc' }), 'reset')).toBe(false)
    expect(allowed(vm(1, 1, { status: 'stopped' }), 'stop')).toBe(false)
  })
  test('a screen needs a VM that is on, has one and is seen', () => {
    expect(hasScreen(vm(1, 1))).toBe(true)
    for (const without of [{ status: 'stopped' as const }, { console: 'none' as const }, { stale: true }]) expect(hasScreen(vm(1, 1, without))).toBe(false)
  })
})
