"""What people send to name guests, with its limits."""

from typing import Annotated, Literal, TypeVar

import msgspec

from pharmq.inventory.model import VmFilter, VmKind, VmStatus

Id = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Vmid = Annotated[int, msgspec.Meta(ge=1, le=999_999_999)]
Ids = Annotated[list[Id], msgspec.Meta(max_length=1000)]
Words = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
HostStatus = Literal["online", "offline", "maintenance"]
T = TypeVar("T")


class VmIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    host_id: Id
    vmid: Vmid


class FilterIn(msgspec.Struct, forbid_unknown_fields=True):
    """As the parameters of ``GET /api/vms``: values of one field are alternatives, different fields must all hold."""

    pharmacy_id: Id | Ids | None = None
    group_id: Id | Ids | None = None
    host_id: Id | Ids | None = None
    type: VmKind | Annotated[list[VmKind], msgspec.Meta(max_length=20)] | None = None
    status: VmStatus | Annotated[list[VmStatus], msgspec.Meta(max_length=20)] | None = None
    host_status: HostStatus | Annotated[list[HostStatus], msgspec.Meta(max_length=20)] | None = None
    tag: Tag | Annotated[list[Tag], msgspec.Meta(max_length=100)] | None = None
    q: Words = ""

    def meant(self) -> VmFilter:
        return VmFilter(
            pharmacy_id=_several(self.pharmacy_id),
            group_id=_several(self.group_id),
            host_id=_several(self.host_id),
            type=_several(self.type),
            status=_several(self.status),
            host_status=_several(self.host_status),
            tag=_several(self.tag),
            q=self.q,
        )


def _several(value: T | list[T] | None) -> tuple[T, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)
