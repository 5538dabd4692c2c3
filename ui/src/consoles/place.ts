/** What a console shows: the screen or the terminal of a VM, or the shell of a host's node. Its key stands in addresses. Pure. */
export type Kind = 'screen' | 'terminal' | 'shell'

/** `id`: the VM's, of a shell the host's. */
export interface Place {
  kind: Kind
  id: number
}

/** "12" is the screen of VM 12, "terminal-12" its terminal, "shell-3" the shell of host 3. */
export const keyOf = ({ kind, id }: Place): string => (kind === 'screen' ? String(id) : `${kind}-${id}`)
export const screenKey = (vmId: number): string => String(vmId)

export function placeOf(key: unknown): Place | undefined {
  const found = typeof key === 'string' ? /^(?:(terminal|shell)-)?([1-9]\d{0,14})$/.exec(key) : null
  return found ? { kind: (found[1] as Kind | undefined) ?? 'screen', id: Number(found[2]) } : undefined
}

/** The part of the address of the consoles' page that names a console. */
export const searchOf = (key: string | undefined): { vm: number | undefined; at: string | undefined } => {
  const place = placeOf(key)
  return place?.kind === 'screen' ? { vm: place.id, at: undefined } : { vm: undefined, at: place && key }
}
export const keyOfSearch = ({ vm, at }: { vm?: number; at?: string }): string | undefined => (vm === undefined ? placeOf(at) && at : screenKey(vm))
