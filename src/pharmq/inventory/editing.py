"""What a person says about a guest, put onto it. Pure."""

import ipaddress

from msgspec import UNSET
from msgspec.structs import replace

from pharmq.base.errors import invalid_field
from pharmq.inventory.diff import classify
from pharmq.inventory.forms import VmPatch
from pharmq.inventory.model import Vm
from pharmq.inventory.rules import Kinds


def edited(vm: Vm, patch: VmPatch, kinds: Kinds) -> Vm:
    """The guest with what a person says of it; ``null`` gives a value back to the host. Raises Invalid."""
    if patch.vm_type is None:
        kind, source = classify(replace(vm, kind_source="default"), vm.name, vm.tags, kinds)
        vm = replace(vm, kind=kind, kind_source=source)
    elif patch.vm_type is not UNSET:
        vm = replace(vm, kind=patch.vm_type, kind_source="hand")
    if patch.description is None:
        # The host's own text comes back with the next reading of the configuration.
        vm = replace(vm, description="", description_source="pve", config_at=None)
    elif patch.description is not UNSET:
        vm = replace(vm, description=patch.description.strip(), description_source="hand")
    if patch.ip_address is None:
        vm = replace(vm, ip=None, ip_source=None)
    elif patch.ip_address is not UNSET:
        vm = replace(vm, ip=_typed_address(patch.ip_address), ip_source="hand")
    return vm


def _typed_address(text: str) -> str:
    try:
        if "%" in text:
            raise ValueError("a zone means something on one machine only")
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise invalid_field("ip_address", "inventory.bad_address", text=text.strip()[:64]) from None
