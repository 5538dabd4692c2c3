"""What people send, with its limits."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pharmq.hosts.model import CredentialKind, GroupKind, Hours

# No control characters anywhere: a NUL breaks databases and terminals alike.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128, pattern=_PLAIN)]
Short: TypeAlias = Annotated[str, Meta(max_length=128, pattern=_PLAIN)]
Line: TypeAlias = Annotated[str, Meta(max_length=255, pattern=_PLAIN)]
Note: TypeAlias = Annotated[str, Meta(max_length=4000, pattern=_TEXT)]
Address: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255, pattern=_PLAIN)]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]
Id: TypeAlias = Annotated[int, Meta(ge=1, le=2**53)]
SecretText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=512)]
Username: TypeAlias = Annotated[
    str, Meta(min_length=3, max_length=128, pattern=r"^[^\s@/:\x00-\x1f]+@[A-Za-z0-9._!-]+$")
]
NodeName: TypeAlias = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9-]*$")]
Fingerprint: TypeAlias = Annotated[str, Meta(min_length=32, max_length=160, pattern=_PLAIN)]
Day: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class PharmacyForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``screens_allowed``, ``screen_reason``: left out, they stay (a new pharmacy: allowed, no reason asked)."""

    code: Annotated[str, Meta(min_length=1, max_length=32, pattern=_PLAIN)]
    name: Name
    representative: Short = ""
    phone: Annotated[str, Meta(max_length=32, pattern=_PLAIN)] = ""
    address: Line = ""
    hours: Hours = Hours()
    closing_days: Annotated[tuple[Day, ...], Meta(max_length=400)] = ()
    note: Note = ""
    group_ids: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    screens_allowed: bool | None = None
    screen_reason: bool | None = None


class GroupForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    kind: GroupKind = "other"


class OwnCredential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: CredentialKind = "password"
    username: Username
    secret: SecretText


class HostForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``fingerprint`` is the SHA-256 that a person has confirmed, ``fingerprints`` those of further addresses, which
    may be other nodes of a cluster; ``force`` keeps a host that does not answer or
    does not accept the credential, as offline."""

    pharmacy_id: Id
    host_ip: Address
    host_port: Port | None = None
    addresses: Annotated[tuple[Address, ...], Meta(max_length=8)] = ()
    node: NodeName | None = None
    fingerprint: Fingerprint | None = None
    fingerprints: Annotated[tuple[Fingerprint, ...], Meta(max_length=8)] = ()
    credential_id: Id | None = None
    credential: OwnCredential | None = None
    maintenance: bool = False
    maintenance_note: Line = ""
    force: bool = False


class HostPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only what is given changes."""

    pharmacy_id: Id | UnsetType = UNSET
    host_ip: Address | UnsetType = UNSET
    host_port: Port | UnsetType = UNSET
    addresses: Annotated[tuple[Address, ...], Meta(max_length=8)] | UnsetType = UNSET
    node: NodeName | UnsetType | None = UNSET
    fingerprint: Fingerprint | UnsetType | None = UNSET
    fingerprints: Annotated[tuple[Fingerprint, ...], Meta(max_length=8)] = ()
    credential_id: Id | UnsetType | None = UNSET
    credential: OwnCredential | UnsetType | None = UNSET
    maintenance: bool | UnsetType = UNSET
    maintenance_note: Line | UnsetType = UNSET
    force: bool = False


class ProbeForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: Address
    port: Port | None = None


class PinForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fingerprint: Fingerprint


class CredentialForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    kind: CredentialKind = "password"
    username: Username
    secret: SecretText


class CredentialPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without ``secret`` the stored one stays. A secret ends the refusal of every host that uses the set."""

    name: Name | UnsetType = UNSET
    kind: CredentialKind | UnsetType = UNSET
    username: Username | UnsetType = UNSET
    secret: SecretText | UnsetType = UNSET
