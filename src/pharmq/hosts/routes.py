"""HTTP of pharmacies, groups, hosts, credentials and enrolment."""

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from msgspec import Meta

from pharmq.access import Actor, Privilege
from pharmq.hosts.enrolment import CheckedRow, EnrolForm, EnrolledRow
from pharmq.hosts.forms import (
    CredentialForm,
    CredentialPatch,
    GroupForm,
    HostForm,
    HostPatch,
    PharmacyForm,
    PinForm,
    ProbeForm,
)
from pharmq.hosts.health import HealthView, ProbeView
from pharmq.hosts.model import CredentialRow, HostRow, HostStatus, PharmacyGroup, PharmacyRow
from pharmq.hosts.service import HostsService
from pharmq.http import Limit, Offset, Page

SEE: dict[str, Any] = {"privilege": Privilege.SEE}
EDIT_HOST: dict[str, Any] = {"privilege": Privilege.HOST_EDIT}
EDIT_PHARMACY: dict[str, Any] = {"privilege": Privilege.PHARMACY_EDIT}
EDIT_CREDENTIAL: dict[str, Any] = {"privilege": Privilege.CREDENTIAL_EDIT, "recent": True}


class CsvForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``csv``: the text; ``csv_base64``: the file as it is, UTF-8 or CP949 as Korean spreadsheets write it."""

    csv: Annotated[str, Meta(max_length=2_000_000)] | None = None
    csv_base64: Annotated[bytes, Meta(max_length=2_000_000)] | None = None


# --- pharmacies


@get("/api/pharmacies", operation_id="listPharmacies", summary="List pharmacies", tags=["pharmacies"], opt=SEE)
async def list_pharmacies(
    actor: Actor, hosts: HostsService, group_id: int | None = None, limit: Limit = 100, offset: Offset = 0
) -> Page[PharmacyRow]:
    items, total = hosts.pharmacies.list(actor, group_id=group_id, limit=limit, offset=offset)
    return Page(items, total)


@post("/api/pharmacies", operation_id="addPharmacy", summary="Add a pharmacy", tags=["pharmacies"], opt=EDIT_PHARMACY)
async def add_pharmacy(actor: Actor, hosts: HostsService, data: PharmacyForm) -> PharmacyRow:
    return await hosts.pharmacies.add(actor, data)


@get(
    "/api/pharmacies/{pharmacy_id:int}",
    operation_id="getPharmacy",
    summary="One pharmacy",
    tags=["pharmacies"],
    opt=SEE,
)
async def get_pharmacy(actor: Actor, hosts: HostsService, pharmacy_id: int) -> PharmacyRow:
    return hosts.pharmacies.get(actor, pharmacy_id)


@put(
    "/api/pharmacies/{pharmacy_id:int}",
    operation_id="changePharmacy",
    summary="Replace what is known of a pharmacy",
    tags=["pharmacies"],
    opt=EDIT_PHARMACY,
)
async def change_pharmacy(actor: Actor, hosts: HostsService, pharmacy_id: int, data: PharmacyForm) -> PharmacyRow:
    return await hosts.pharmacies.change(actor, pharmacy_id, data)


@delete(
    "/api/pharmacies/{pharmacy_id:int}",
    operation_id="removePharmacy",
    summary="Remove a pharmacy that has no hosts",
    tags=["pharmacies"],
    opt=EDIT_PHARMACY,
)
async def remove_pharmacy(actor: Actor, hosts: HostsService, pharmacy_id: int) -> None:
    await hosts.pharmacies.remove(actor, pharmacy_id)


@get("/api/groups", operation_id="listGroups", summary="Regions, chains, other groups", tags=["pharmacies"], opt=SEE)
async def list_groups(actor: Actor, hosts: HostsService, limit: Limit = 100, offset: Offset = 0) -> Page[PharmacyGroup]:
    found = hosts.pharmacies.groups(actor)
    return Page(list(found[offset : offset + limit]), len(found))


@post("/api/groups", operation_id="addGroup", summary="Add a group", tags=["pharmacies"], opt=EDIT_PHARMACY)
async def add_group(actor: Actor, hosts: HostsService, data: GroupForm) -> PharmacyGroup:
    return await hosts.pharmacies.add_group(actor, data)


@put(
    "/api/groups/{group_id:int}",
    operation_id="changeGroup",
    summary="Rename a group",
    tags=["pharmacies"],
    opt=EDIT_PHARMACY,
)
async def change_group(actor: Actor, hosts: HostsService, group_id: int, data: GroupForm) -> PharmacyGroup:
    return await hosts.pharmacies.change_group(actor, group_id, data)


@delete(
    "/api/groups/{group_id:int}",
    operation_id="removeGroup",
    summary="Remove a group; its pharmacies stay",
    tags=["pharmacies"],
    opt=EDIT_PHARMACY,
)
async def remove_group(actor: Actor, hosts: HostsService, group_id: int) -> None:
    await hosts.pharmacies.remove_group(actor, group_id)


# --- hosts


@get("/api/proxmox/hosts", operation_id="listHosts", summary="List Proxmox hosts", tags=["hosts"], opt=SEE)
async def list_hosts(
    actor: Actor,
    hosts: HostsService,
    pharmacy_id: int | None = None,
    status: list[HostStatus] | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[HostRow]:
    items, total = hosts.list(actor, pharmacy_id=pharmacy_id, status=status or (), limit=limit, offset=offset)
    return Page(items, total)


@post("/api/proxmox/hosts", operation_id="addHost", summary="Add a host", tags=["hosts"], opt=EDIT_HOST)
async def add_host(actor: Actor, hosts: HostsService, data: HostForm) -> HostRow:
    """Probes the address, compares the certificate with the confirmed fingerprint, logs in, then saves. Without a
    fingerprint the answer is 409 ``host.fingerprint_unconfirmed`` and carries the one that was seen."""
    return await hosts.add(actor, data)


@post(
    "/api/proxmox/hosts/probe",
    operation_id="probeHost",
    summary="What stands behind an address; no credential is sent",
    tags=["hosts"],
    opt=EDIT_HOST,
    status_code=200,
)
async def probe_host(actor: Actor, hosts: HostsService, data: ProbeForm) -> ProbeView:
    return await hosts.probe(actor, data.address, data.port)


@get("/api/proxmox/hosts/{host_id:int}", operation_id="getHost", summary="One host", tags=["hosts"], opt=SEE)
async def get_host(actor: Actor, hosts: HostsService, host_id: int) -> HostRow:
    return hosts.get(actor, host_id)


@put(
    "/api/proxmox/hosts/{host_id:int}",
    operation_id="changeHost",
    summary="Change a host; only what is given",
    tags=["hosts"],
    opt=EDIT_HOST,
)
async def change_host(actor: Actor, hosts: HostsService, host_id: int, data: HostPatch) -> HostRow:
    return await hosts.change(actor, host_id, data)


@delete(
    "/api/proxmox/hosts/{host_id:int}",
    operation_id="removeHost",
    summary="Remove a host; with guests only by force",
    tags=["hosts"],
    opt=EDIT_HOST,
)
async def remove_host(actor: Actor, hosts: HostsService, host_id: int, force: bool = False) -> None:
    await hosts.remove(actor, host_id, force=force)


@get(
    "/api/proxmox/hosts/{host_id:int}/health",
    operation_id="getHostHealth",
    summary="A live look within 4.5 s, else what was last known",
    tags=["hosts"],
    opt=SEE,
)
async def host_health(actor: Actor, hosts: HostsService, host_id: int) -> HealthView:
    return await hosts.health(actor, host_id)


@post(
    "/api/proxmox/hosts/{host_id:int}/pin",
    operation_id="pinHost",
    summary="Accept another certificate",
    tags=["hosts"],
    opt=EDIT_HOST,
    status_code=200,
)
async def pin_host(actor: Actor, hosts: HostsService, host_id: int, data: PinForm) -> HostRow:
    return await hosts.pin(actor, host_id, data.fingerprint)


# --- credentials


@get(
    "/api/credentials",
    operation_id="listCredentials",
    summary="Credential sets, without their secrets",
    tags=["credentials"],
    opt=EDIT_HOST,
)
async def list_credentials(
    actor: Actor, hosts: HostsService, limit: Limit = 100, offset: Offset = 0
) -> Page[CredentialRow]:
    found = await hosts.credentials.all(actor)
    return Page(found[offset : offset + limit], len(found))


@post(
    "/api/credentials",
    operation_id="addCredential",
    summary="Add a credential set",
    tags=["credentials"],
    opt=EDIT_CREDENTIAL,
)
async def add_credential(actor: Actor, hosts: HostsService, data: CredentialForm) -> CredentialRow:
    return await hosts.credentials.add(actor, data)


@put(
    "/api/credentials/{credential_id:int}",
    operation_id="changeCredential",
    summary="Change a set; every host that uses it follows at once",
    tags=["credentials"],
    opt=EDIT_CREDENTIAL,
)
async def change_credential(
    actor: Actor, hosts: HostsService, credential_id: int, data: CredentialPatch
) -> CredentialRow:
    return await hosts.credentials.change(actor, credential_id, data)


@delete(
    "/api/credentials/{credential_id:int}",
    operation_id="removeCredential",
    summary="Remove a set that no host uses",
    tags=["credentials"],
    opt=EDIT_CREDENTIAL,
)
async def remove_credential(actor: Actor, hosts: HostsService, credential_id: int) -> None:
    await hosts.credentials.remove(actor, credential_id)


# --- enrolment


@post(
    "/api/enrolments/check",
    operation_id="checkEnrolment",
    summary="Read a CSV and look at every host; nothing is saved",
    tags=["hosts"],
    opt=EDIT_HOST,
    status_code=200,
)
async def check_enrolment(actor: Actor, hosts: HostsService, data: CsvForm) -> Page[CheckedRow]:
    found = await hosts.enrolment.check(actor, data.csv, data.csv_base64)
    return Page(found, len(found))


@post(
    "/api/enrolments",
    operation_id="enrol",
    summary="Save reviewed lines; running it again changes nothing",
    tags=["hosts"],
    opt=EDIT_HOST,
    status_code=200,
)
async def enrol(actor: Actor, hosts: HostsService, data: EnrolForm) -> Page[EnrolledRow]:
    found = await hosts.enrolment.enrol(actor, data)
    return Page(found, len(found))


ROUTES: list[Any] = [
    list_pharmacies,
    add_pharmacy,
    get_pharmacy,
    change_pharmacy,
    remove_pharmacy,
    list_groups,
    add_group,
    change_group,
    remove_group,
    list_hosts,
    add_host,
    probe_host,
    get_host,
    change_host,
    remove_host,
    host_health,
    pin_host,
    list_credentials,
    add_credential,
    change_credential,
    remove_credential,
    check_enrolment,
    enrol,
]
