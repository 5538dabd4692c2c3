import type { vms as source } from '../ko/vms'

export const vms: Readonly<Record<keyof typeof source, string>> = {
  'vms.title': 'All VMs', 'vms.of': '{n} of {total}', 'vms.places': '{n|pharmacy/pharmacies}', 'vms.view': 'View', 'vms.view_tree': 'By pharmacy', 'vms.view_list': 'List',
  'vms.search': 'Name, IP, VMID', 'vms.vmid': 'VMID', 'vms.name': 'Name', 'vms.type': 'Kind', 'vms.status': 'Status', 'vms.ip': 'IP', 'vms.uptime': 'Uptime', 'vms.acts': 'Actions',
  'vms.vm_status': 'VM status', 'vms.host_status': 'Host status', 'vms.tag': 'Tag', 'vms.sort': 'Order', 'vms.sort_attention': 'Problems first', 'vms.sort_pharmacy': 'Pharmacy name', 'vms.sort_column': 'By column',
  'vms.more_pharmacies': '{n} more · type a name to narrow.', 'vms.shown_of': '{n} of {total} shown', 'vms.fold': 'Fold {name}', 'vms.unfold': 'Unfold {name}',
  'vms.select': 'Select {name}', 'vms.select_all': 'Select all', 'vms.select_all_of': 'Select all of {name}', 'vms.selection': 'Selected VMs', 'vms.selected': '{n} selected', 'vms.selected_places': '{n|pharmacy/pharmacies}',
  'vms.selected_hidden': '{n} hidden by the filters', 'vms.some_open': '{n} open now', 'vms.all_open': 'all {n} open now', 'vms.open_screens': 'Open {n} VNC', 'vms.unselect': 'Clear',
  'vms.task_waits': '{verb}: waiting', 'vms.template': 'Template', 'vms.syncing': 'Looking at {n|host/hosts} now.', 'vms.none': 'There are no VMs yet. Add a host first.', 'vms.none_match': 'No VM matches.',
  'vms.host': 'Host', 'vms.container': 'container (LXC)', 'vms.machine': 'VM (QEMU)', 'vms.cores': 'CPU cores', 'vms.disk': 'Disk', 'vms.tags': 'Tags', 'vms.pve_status': 'Proxmox status', 'vms.lock': 'Lock', 'vms.screen': 'Screen', 'vms.last_sync': 'Last seen',
  'vms.source.agent': 'guest agent', 'vms.source.lxc': 'container', 'vms.source.hand': 'typed',
  'vms.notes': 'Edit', 'vms.type_auto': 'Automatic (tags and name)', 'vms.type_auto_is': 'Automatic: {type}', 'vms.ip_auto': 'Automatic: {ip}', 'vms.description': 'Description', 'vms.saved': 'Saved.', 'vms.events': 'Events',
  'vms.missing_why': 'The host no longer lists this VM. It was deleted, or the account’s rights changed. What was written about it is kept.',
  'vms.purge': 'Remove from the list', 'vms.purge_ask': 'Remove {name} from the list?', 'vms.purge_cost': 'Its kind, description and typed IP go too. Nothing is sent to Proxmox.',

  'power.ask': '{verb} {name}?', 'power.ask_many': '{verb} {n} VMs?', 'power.button_many': '{verb} {n}', 'power.sent': '{verb}: {n|VM/VMs} under way.', 'power.nothing': '{verb}: nothing to do.',
  'power.first_and': '{name} and {n} more', 'power.open_one': 'This pharmacy is open now.', 'power.open_many': '{n|pharmacy is/pharmacies are} open now.', 'power.targets': 'Show all targets', 'power.skipped': '{n} left out:',
  'power.cost.shutdown': 'Asks the guest to shut down. Open programs are closed.', 'power.cost.stop': 'Cuts the power at once. Unsaved work is lost and files may be damaged.',
  'power.cost.reboot': 'Shuts the guest down and starts it again. Screen and work stop meanwhile.', 'power.cost.reset': 'Like a reset button: starts over at once. Unsaved work is lost.', 'power.cost.suspend': 'Holds the guest still. It does not respond until it is resumed.',
  'failure.ui.job_failed.title': '{failed} of {total} VMs failed.', 'failure.ui.job_failed.why': 'Succeeded {succeeded}, outcome unknown {unknown}, left out {skipped}.', 'failure.ui.job_failed.remedy': 'See the reason for each VM under Jobs.',

  'jobs.open': 'Show job', 'jobs.what': 'Job', 'jobs.result': 'Result', 'jobs.progress': 'Progress', 'jobs.at': 'At', 'jobs.took': 'Took', 'jobs.title_of': '{verb}: {n|VM/VMs}', 'jobs.none': 'No jobs yet. Starting or shutting down a VM leaves one here.',
  'jobs.state': 'State', 'jobs.state.queued': 'Waiting', 'jobs.state.running': 'Running', 'jobs.state.done': 'Done', 'jobs.state.cancelled': 'Cancelled', 'jobs.failed': 'Failed {n}', 'jobs.unknown': 'Outcome unknown {n}',
  'jobs.item.queued': 'Waiting', 'jobs.item.running': 'Running', 'jobs.item.sending': 'Sending', 'jobs.item.watching': 'Running', 'jobs.item.succeeded': 'Succeeded', 'jobs.item.failed': 'Failed', 'jobs.item.skipped': 'Left out', 'jobs.item.unknown': 'Outcome unknown', 'jobs.item.cancelled': 'Cancelled',
  'jobs.cancel': 'Cancel the remaining {n}', 'jobs.again': 'Try {n} again', 'jobs.log': 'Task log', 'jobs.log_of': 'Task log of {name}', 'jobs.log_reading': 'Reading from the host.',
}
