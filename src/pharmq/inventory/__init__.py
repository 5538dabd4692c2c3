"""The guests of all hosts: snapshot -> pure diff -> one transaction -> the view in memory -> whoever listens.

What other rooms use (``InventoryService`` in ``service``, its ``view`` in ``view``):

- polling: ``await apply(host_id, resources, began)``, ``await apply_current(host_id, vmid, current, began)``,
  ``await apply_config(host_id, vmid, config)``, ``await apply_addresses(host_id, vmid, interfaces, "agent"|"lxc")``,
  ``configs_due(host_id) -> list[pve.Guest]``, ``addresses_due(host_id) -> list[Vm]``. ``began`` is the monotonic
  time at which the question left; an answer to an earlier question never overwrites a later one.
- jobs, consoles: ``vm(actor, vm_id, privilege)``, ``at(actor, host_id, vmid)``, ``resolve(actor, targets)``,
  ``matching(actor, filter)``, ``scope(vm)``, ``view.get(vm_id)``, ``view.at(host_id, vmid)``,
  ``view.of_host(host_id)``, ``view.of_pharmacy(pharmacy_id)``, ``view.touch(vm_ids)``.
- live: ``view.listen(fn)``, ``listen_samples(fn)``, ``rows.encoded(vm_id)``, ``select.summary(actor)``.
- the composition root puts in: ``look_now``, ``rows.task_of``, ``select.consoles_open``, ``select.jobs_running``;
  ``guest_facts`` goes to the hosts' room.
"""

from pharmq.inventory.model import Sample, TaskRef, Vm, VmFilter, VmRow
from pharmq.inventory.service import InventoryService
from pharmq.inventory.view import View

__all__ = ["InventoryService", "Sample", "TaskRef", "View", "Vm", "VmFilter", "VmRow"]
