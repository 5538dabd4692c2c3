"""What people send about guests."""

from typing import Annotated

import msgspec

from pharmq.inventory.model import VmKind

Description = Annotated[str, msgspec.Meta(max_length=8192, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class VmPatch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is left out stays. ``null`` gives a value back to the host: kind by tags and name, address by the agent."""

    vm_type: VmKind | msgspec.UnsetType | None = msgspec.UNSET
    description: Description | msgspec.UnsetType | None = msgspec.UNSET
    ip_address: Annotated[str, msgspec.Meta(max_length=64)] | msgspec.UnsetType | None = msgspec.UNSET


class SyncAnswer(msgspec.Struct, frozen=True, gc=False):
    """``requested``: how many hosts will be looked at now."""

    requested: int
