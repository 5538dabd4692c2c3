/** The journal's kinds in the groups a person filters by. */
export const KIND_GROUPS = ['host', 'vm', 'power', 'console', 'access'] as const
export type KindGroup = (typeof KIND_GROUPS)[number]

const KINDS: Record<KindGroup, readonly string[]> = {
  host: ['host.added', 'host.changed', 'host.removed', 'host.offline', 'host.online', 'host.pinned', 'host.certificate_changed', 'host.credential_refused', 'pharmacy.added', 'pharmacy.changed', 'pharmacy.removed'],
  vm: ['vm.added', 'vm.missing', 'vm.returned', 'vm.replaced', 'vm.purged', 'vm.status', 'vm.renamed', 'vm.changed', 'vm.edited'],
  power: ['power.start', 'power.shutdown', 'power.stop', 'power.reboot', 'power.reset', 'power.suspend', 'power.resume', 'job.submitted', 'job.finished'],
  console: ['console.opened', 'console.closed', 'console.refused'],
  access: ['session.opened', 'session.refused', 'session.closed', 'credential.changed', 'settings.changed', 'access.setup'],
}

/** The kinds of the chosen groups ("host,vm"); undefined = all kinds. */
export function kindsOf(groups: string | undefined): string[] | undefined {
  if (!groups) return undefined
  return groups.split(',').flatMap((group) => KINDS[group as KindGroup] ?? [])
}
