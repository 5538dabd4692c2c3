"""The guests of all hosts: snapshot -> pure diff -> one transaction -> the view in memory -> whoever listens.

What other rooms use (``InventoryService`` in ``service``, its ``view`` in ``view``):

- polling: ``await apply(host_id, resources, began)``, ``await apply_current(host_id, vmid, current, began)``,
  ``await apply_config(host_id, vmid, config)``, ``await apply_addresses(host_id, vmid, interfaces, source)``,
  ``configs_due(host_id) -> list[pve.Guest]``, ``addresses_due(host_id) -> list[Vm]``. ``began`` is the monotonic
  time at which the question left; an answer to an earlier question never overwrites a later one.
- jobs, consoles: ``view.get(vm_id)``, ``view.at(host_id, vmid)``, ``view.of_host(host_id)``,
  ``view.of_pharmacy(pharmacy_id)``, ``scope(vm)``, ``resolve(actor, targets)``, ``select(actor, filter)``.
- live: ``listen(fn)``, ``row(vm)``, ``summary(actor)``.
"""
