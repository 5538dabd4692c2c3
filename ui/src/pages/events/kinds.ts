/** The journal's kinds in the families a person filters by. */
export const KIND_GROUPS = ['host', 'vm', 'power', 'console', 'access'] as const
export type KindGroup = (typeof KIND_GROUPS)[number]

const FAMILIES: Record<KindGroup, readonly string[]> = {
  host: ['host.*', 'pharmacy.*', 'group.*'],
  vm: ['vm.*'],
  power: ['power.*', 'guest.*', 'job.*', 'schedule.*'],
  console: ['console.*'],
  access: ['session.*', 'credential.*', 'settings.*', 'access.*', 'audit.*', 'export.*', 'backup.*', 'vault.*'],
}

/** The families of the chosen groups ("host,vm") as the API takes them; undefined = all kinds. */
export function kindsOf(groups: string | undefined): string[] | undefined {
  if (!groups) return undefined
  return groups.split(',').flatMap((group) => FAMILIES[group as KindGroup] ?? [])
}

export const isOf = (kind: string, families: readonly string[]): boolean => families.some((family) => kind.startsWith(family.slice(0, -1)))
