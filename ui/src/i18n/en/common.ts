import type { common as source } from '../ko/common'

export const common: Readonly<Record<keyof typeof source, string>> = {
  'span.s': '{n} s', 'span.m': '{n} min', 'span.h': '{n} h', 'span.d': '{n} d',
  'age.now': 'just now', 'age.ago': '{span} ago', 'age.lasting': 'for {span}', 'age.since': 'for {span}',

  'nav.label': 'Main menu', 'nav.dashboard': 'Dashboard', 'nav.pharmacies': 'Pharmacies', 'nav.hosts': 'Hosts', 'nav.vms': 'All VMs',
  'nav.consoles': 'Consoles', 'nav.jobs': 'Jobs & schedules', 'nav.events': 'Events', 'nav.settings': 'Settings', 'nav.open_consoles': 'Open consoles', 'nav.more': 'More',
  'nav.skip': 'Skip to content',
  'top.search': 'Search pharmacies, VMs, IPs, last 4 digits of a phone', 'top.theme_dark': 'Dark theme', 'top.theme_light': 'Light theme',
  'top.account': 'My account', 'top.sign_out': 'Sign out', 'top.language': '한국어',
  'link.live': 'Live', 'link.connecting': 'Connecting', 'link.lost': 'Live updates lost',
  'link.lost_why': 'Values on screen are the last received; reconnecting by itself.',

  'palette.title': 'Search and run', 'palette.empty': 'Nothing found.', 'palette.hint': 'Finds names, initial consonants (ㄱㄴㅇㄴ), the last 4 digits of a phone, IPs, VMIDs, codes. Narrow with pharmacy: status: type: tag: ip:',
  'palette.pharmacies': 'Pharmacies', 'palette.vms': 'VMs', 'palette.hosts': 'Hosts', 'palette.actions': 'Go and set', 'palette.results': 'Search results', 'palette.open_screen': 'open screen',
  'palette.keys': '↑↓ move · Enter open · Shift+Enter open pharmacy · Esc close',
  'palette.go': 'Go to {page}', 'palette.theme': 'Switch light/dark', 'palette.language': '한국어로 바꾸기', 'palette.add_host': 'Add a host',

  'vm.status.running': 'Running', 'vm.status.stopped': 'Stopped', 'vm.status.suspended': 'Suspended', 'vm.status.unknown': 'Unknown',
  'vm.type.kiosk': 'Kiosk', 'vm.type.pos': 'POS', 'vm.type.server': 'Server', 'vm.type.backup': 'Backup', 'vm.type.other': 'Other',
  'host.status.online': 'Online', 'host.status.offline': 'Offline', 'host.status.maintenance': 'Maintenance',
  'pharmacy.state.ok': 'OK', 'pharmacy.state.warning': 'Warning', 'pharmacy.state.offline': 'Offline', 'pharmacy.state.maintenance': 'Maintenance', 'pharmacy.state.empty': 'No host',
  'opening.open': 'Open', 'opening.before': 'Not open yet', 'opening.after': 'Closed for today', 'opening.closed': 'Day off', 'opening.unknown': 'Hours not set', 'opening.from': 'from {at}',
  'verb.start': 'Start', 'verb.shutdown': 'Shut down', 'verb.stop': 'Force stop', 'verb.reboot': 'Reboot', 'verb.reset': 'Reset', 'verb.suspend': 'Suspend', 'verb.resume': 'Resume',
  'verb.snapshot': 'Take snapshot', 'verb.rollback': 'Roll back', 'verb.snapshot_delete': 'Delete snapshot', 'verb.backup': 'Back up', 'verb.onboot': 'Start at boot',

  'reason.unreachable': 'Unreachable', 'reason.refused': 'Connection refused', 'reason.timeout': 'No answer', 'reason.tls_failed': 'TLS failed',
  'reason.certificate_changed': 'Certificate changed', 'reason.credential_refused': 'Login refused', 'reason.need_tfa': 'Account needs 2FA', 'reason.permission_denied': 'No permission',
  'reason.cluster_down': 'Cluster file system down', 'reason.host_fault': 'Host fault', 'reason.protocol_error': 'Unreadable answer', 'reason.too_slow': 'Answers too slowly', 'reason.never_checked': 'Not checked yet',

  'act.cancel': 'Cancel', 'act.close': 'Close', 'act.save': 'Save', 'act.edit': 'Edit', 'act.delete': 'Delete', 'act.retry': 'Try again', 'act.back': 'Back', 'act.next': 'Next', 'act.copy': 'Copy', 'act.copied': 'Copied.',
  'act.open_screen': 'Open screen', 'act.recheck': 'Check again', 'act.dismiss': 'Dismiss', 'act.more_rows': 'Show more', 'act.show_password': 'Show password', 'act.confirm': 'Confirm', 'act.sync': 'Sync',
  'list.count': '{n}', 'list.of': '{n} of {total}', 'list.previous': 'Previous page', 'list.next': 'Next page', 'list.range': '{from}–{to} / {total}',
  'unit.places': '{n}', 'unit.machines': '{n}', 'unit.rows': '{n}',

  'failure.ui.no_server.title': 'The PharmQ server cannot be reached.', 'failure.ui.no_server.why': 'The connection between this computer and PharmQ is down, or the server has stopped.', 'failure.ui.no_server.remedy': 'Check the network and try again.',
  'failure.ui.timeout.title': 'The server did not answer in time.', 'failure.ui.timeout.why': 'It is busy, or the connection is slow.', 'failure.ui.timeout.remedy': 'Try again in a moment.',
  'failure.ui.bad_answer.title': "The server's answer cannot be read.", 'failure.ui.bad_answer.why': 'Status {status}: something other than PharmQ (a proxy) seems to have answered.', 'failure.ui.bad_answer.remedy': "Check the proxy's configuration.",
  'failure.unknown.title': 'The request was not completed.', 'failure.unknown.why': 'Code {code}', 'failure.unknown.remedy': 'Try again; if it stays, tell your administrator this code.',
  'failure.ui.title': 'The page met an error.', 'failure.ui.remedy': 'Reload the page; if it stays, tell your administrator.',
  'notfound.title': 'There is no such page.', 'notfound.why': 'The address changed, or the item was removed.', 'notfound.remedy': 'Start again from the dashboard.',
}
