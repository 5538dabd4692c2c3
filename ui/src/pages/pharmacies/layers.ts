/** Where between us and the VM it breaks: the chain shown under the verdict. Pure. */
import type { Host } from '@/api/types'

export const LAYERS = ['connect', 'certificate', 'login', 'answer'] as const
export type Layer = (typeof LAYERS)[number]
export type LayerState = 'ok' | 'bad' | 'unknown'

const BREAKS_AT: Record<string, Layer> = {
  unreachable: 'connect',
  refused: 'connect',
  timeout: 'connect',
  tls_failed: 'certificate',
  certificate_changed: 'certificate',
  credential_refused: 'login',
  need_tfa: 'login',
  permission_denied: 'login',
  cluster_down: 'answer',
  host_fault: 'answer',
  protocol_error: 'answer',
  too_slow: 'answer',
}

/** Each layer's state: fine up to the broken one, unknown behind it. */
export function layersOf(host: Pick<Host, 'reason'>): [Layer, LayerState][] {
  if (host.reason === null) return LAYERS.map((layer) => [layer, 'ok'])
  const at = LAYERS.indexOf(BREAKS_AT[host.reason] ?? 'connect')
  const broken: LayerState = host.reason in BREAKS_AT ? 'bad' : 'unknown'
  return LAYERS.map((layer, index) => [layer, index < at ? 'ok' : index === at ? broken : 'unknown'])
}
