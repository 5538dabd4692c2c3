/** The icon set: 16 px, stroke 1.5. Icons beside a word are hidden from screen readers; alone they need the button's label. */
const STROKES = {
  dashboard: 'M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5H9z',
  pharmacy: 'M2.5 6.5v7h11v-7M1.75 6.5 3 2.5h10l1.25 4zM8 8v4M6 10h4',
  host: 'M2 2.5h12v4.5H2zM2 9h12v4.5H2zM4.5 4.75h.01M4.5 11.25h.01M7 4.75h4M7 11.25h4',
  vms: 'M2 3.5h1.5M2 8h1.5M2 12.5h1.5M6 3.5h8M6 8h8M6 12.5h8',
  screen: 'M1.75 2.75h12.5v8.5H1.75zM8 11.25v2.5M5.5 13.75h5',
  clock: 'M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 0 0 0-12.5zM8 4.5V8l2.25 1.5',
  bell: 'M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4zM6.5 13.75h3',
  events: 'M3.5 1.75h6l3 3v9.5h-9zM6 6.5h4M6 9h4M6 11.5h2.5',
  settings: 'M8 5.75a2.25 2.25 0 1 0 0 4.5 2.25 2.25 0 0 0 0-4.5zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4',
  search: 'M7 2.25a4.75 4.75 0 1 0 0 9.5 4.75 4.75 0 0 0 0-9.5zM10.5 10.5l3.5 3.5',
  phone: 'M3 2.25h2.5l1.25 3.25L5 6.75c.75 1.75 2.5 3.5 4.25 4.25l1.25-1.75 3.25 1.25V13c0 .75-.5 1.25-1.25 1.25C7 14 2 9 1.75 3.5c0-.75.5-1.25 1.25-1.25z',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.25v1.5M8 13.25v1.5M1.25 8h1.5M13.25 8h1.5M3.2 3.2l1 1M11.8 11.8l1 1M12.8 3.2l-1 1M4.2 11.8l-1 1',
  plus: 'M8 3v10M3 8h10',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  right: 'M6 3l5 5-5 5',
  left: 'M10 3L5 8l5 5',
  down: 'M3 6l5 5 5-5',
  up: 'M3 10l5-5 5 5',
  arrow: 'M2.5 8h11M10 4.5L13.5 8 10 11.5',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.5M13.25 1.75v3h-3',
  power: 'M8 1.75V8M4.25 3.75a5.5 5.5 0 1 0 7.5 0',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  external: 'M6.5 2.5h-4v11h11v-4M9.5 2.5h4v4M13.5 2.5L7.5 8.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  pin: 'M9.5 2l4.5 4.5-3 1-3 3-.5 2.5-4.5-4.5 2.5-.5 3-3zM5.5 10.5L2 14',
  person: 'M8 2.25a2.75 2.75 0 1 0 0 5.5 2.75 2.75 0 0 0 0-5.5zM2.75 14c.5-3 2.5-4.5 5.25-4.5s4.75 1.5 5.25 4.5',
  live: 'M8 7.25a.75.75 0 1 0 0 1.5.75.75 0 0 0 0-1.5zM5.2 5.2a4 4 0 0 0 0 5.6M10.8 5.2a4 4 0 0 1 0 5.6M3 3a7 7 0 0 0 0 10M13 3a7 7 0 0 1 0 10',
  play: 'M4.75 3.25v9.5L12.5 8z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  eye: 'M1.5 8S4 3.75 8 3.75 14.5 8 14.5 8 12 12.25 8 12.25 1.5 8 1.5 8zM8 6.25a1.75 1.75 0 1 0 0 3.5 1.75 1.75 0 0 0 0-3.5z',
  keyboard: 'M1.5 4h13v8.5h-13zM4 6.75h.01M6.75 6.75h.01M9.5 6.75h.01M12 6.75h.01M4.5 9.75h7',
  paste: 'M5 3H3v11h10V3h-2M5.5 1.75h5v2.5h-5zM5.5 7.5h5M5.5 10.5h3',
  camera: 'M1.75 4.5h3l1-1.75h4.5l1 1.75h3v8.75H1.75zM8 6.5a2.25 2.25 0 1 0 0 4.5 2.25 2.25 0 0 0 0-4.5z',
  full: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  fit: 'M1.75 3.25h12.5v9.5H1.75zM5 6v4M11 6v4M5 8h6',
  tile1: 'M2.5 2.5h11v11h-11z',
  tile4: 'M2.5 2.5h11v11h-11zM8 2.5v11M2.5 8h11',
  tile9: 'M2.5 2.5h11v11h-11zM6.2 2.5v11M9.8 2.5v11M2.5 6.2h11M2.5 9.8h11',
  upload: 'M8 10.5v-8M4.75 5.5L8 2.25 11.25 5.5M2.5 10v3.5h11V10',
  wrench: 'M13.5 4.5a3.5 3.5 0 0 1-4.6 4.3L5 12.7a1.4 1.4 0 0 1-2-2l3.9-3.9A3.5 3.5 0 0 1 11.2 2.2L9.3 4.1l.4 2.2 2.2.4z',
  key: 'M5.25 7.5a3.25 3.25 0 1 0 3 4.5L14 6.25V3h-3L7 7.25a3.2 3.2 0 0 0-1.75.25zM4.75 11.25h.01',
  login: 'M9 2.5h4.5v11H9M2 8h7.5M6.5 5l3 3-3 3',
  trash: 'M2.5 4h11M6 4V2.25h4V4M4 4l.75 9.75h6.5L12 4',
  edit: 'M10.5 2.5l3 3L6 13l-3.5.5L3 10z',
} as const

export type IconName = keyof typeof STROKES

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" fill={name === 'play' ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth={name === 'more' ? 2.2 : 1.5} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
      <path d={STROKES[name]} />
    </svg>
  )
}

/** The signs of states (see `State`): discs and rings that differ by shape, not by colour alone. */
export type SignName = 'running' | 'stopped' | 'suspended' | 'unknown' | 'ok' | 'cross' | 'warning' | 'wrench' | 'turning'

export function Sign({ name, size = 16 }: { name: SignName; size?: number }) {
  const common = { width: size, height: size, viewBox: '0 0 16 16', 'aria-hidden': true, focusable: false } as const
  const cut = { fill: 'none', stroke: 'var(--surface)', strokeWidth: 1.7, strokeLinecap: 'round', strokeLinejoin: 'round' } as const
  const ring = { fill: 'none', stroke: 'currentColor', strokeWidth: 1.5 } as const
  switch (name) {
    case 'running':
      return <svg {...common}><circle cx="8" cy="8" r="7" fill="currentColor" /><path d="M6.5 5.2v5.6L11 8z" fill="var(--surface)" /></svg>
    case 'stopped':
      return <svg {...common}><circle cx="8" cy="8" r="6.25" {...ring} /><rect x="5.6" y="5.6" width="4.8" height="4.8" rx="0.8" fill="currentColor" /></svg>
    case 'suspended':
      return <svg {...common}><circle cx="8" cy="8" r="6.25" {...ring} /><path d="M6.4 5.5v5M9.6 5.5v5" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" /></svg>
    case 'unknown':
      return <svg {...common}><circle cx="8" cy="8" r="6.25" {...ring} strokeDasharray="2.6 2" /><path d="M6.4 6.4a1.6 1.6 0 1 1 2.3 1.5c-.5.3-.7.5-.7 1.1M8 11.2h.01" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" /></svg>
    case 'ok':
      return <svg {...common}><circle cx="8" cy="8" r="7" fill="currentColor" /><path d="M5 8.2l2.2 2.2L11.2 6" {...cut} /></svg>
    case 'cross':
      return <svg {...common}><circle cx="8" cy="8" r="7" fill="currentColor" /><path d="M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6" {...cut} /></svg>
    case 'warning':
      return <svg {...common}><path d="M8 1.5 15 14H1z" fill="currentColor" stroke="currentColor" strokeWidth="1" strokeLinejoin="round" /><path d="M8 6v4M8 12h.01" {...cut} /></svg>
    case 'wrench':
      return <Icon name="wrench" size={size} />
    case 'turning':
      return <Icon name="refresh" size={size} />
  }
}
