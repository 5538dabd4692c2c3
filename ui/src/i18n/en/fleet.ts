import type { fleet as ko } from '../ko/fleet'

export const fleet: Readonly<Record<keyof typeof ko, string>> = {
  'kinds.title': 'VM kind rules', 'kinds.words': 'Words in the VM’s name', 'kinds.example': 'e.g. pos, till', 'kinds.add': 'Add a rule',
  'kinds.hint': 'A VM without a tag gets its kind from its name: the first rule that fits decides. A kind set by hand stays. Latin words must stand alone (pos does not fit compose); * stands for anything.',
  'kinds.up': 'Move up', 'kinds.down': 'Move down', 'kinds.remove': 'Remove this rule',
  'setting.purge_missing_days': 'Forget missing VMs (after days; 0: never)',
  'pharmacies.none': 'No pharmacies yet. Add the first one, or import them all from a CSV file.',
  'setting.consoles_per_user': 'Consoles per person', 'setting.console_idle_minutes': 'Close unused consoles (minutes; 0: never)', 'setting.console_hours': 'Longest console (hours)',
  'setting.rotate_days': 'New passwords of service accounts (days; 0: when asked)', 'setting.keep_access_days': 'Keep records of access (days, 2 years or more)', 'setting.keep_grants_days': 'Keep records of rights (days, 3 years or more)',
  'failure.ui.outdated.title': 'This page could not be opened.', 'failure.ui.outdated.why': 'PharmQ was updated, or the server cannot be reached.', 'failure.ui.outdated.remedy': 'Reload. Open consoles connect again.', 'act.reload': 'Reload',
  'find.cut': 'Many match; only the closest are shown. Type more to narrow it.',
}
