"""HTTP of service accounts."""

from typing import Annotated, Any, Literal

from litestar import get, post
from litestar.params import QueryParameter

from pharmq.access import Actor, Privilege
from pharmq.http import Limit, Offset, Page
from pharmq.provisioning.model import (
    Accepted,
    AccountRow,
    AccountsReport,
    ProvisionForm,
    RemoveForm,
    RotateForm,
)
from pharmq.provisioning.service import ProvisioningService

READ: dict[str, Any] = {"privilege": Privilege.CREDENTIAL_EDIT}
CHANGE: dict[str, Any] = {"privilege": Privilege.CREDENTIAL_EDIT, "recent": True}
State = Literal["none", "queued", "working", "waiting", "stopped", "ready"]
TAGS = ["service accounts"]


@get(
    "/api/service-accounts",
    operation_id="listServiceAccounts",
    summary="Hosts and our account on each",
    tags=TAGS,
    opt=READ,
)
async def list_accounts(
    actor: Actor,
    provisioning: ProvisioningService,
    account_state: Annotated[list[State] | None, QueryParameter(name="state", max_items=6)] = None,
    host_id: Annotated[list[int] | None, QueryParameter(max_items=1000)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Page[AccountRow]:
    """``step`` is the one that comes next: where a stopped operation stopped. Ask again to see progress."""
    return Page(*provisioning.list(actor, account_state or (), limit, offset, host_id or ()))


@get(
    "/api/service-accounts/report",
    operation_id="getServiceAccountsReport",
    summary="How many hosts have an account, and what is overdue",
    tags=TAGS,
    opt=READ,
)
async def get_report(actor: Actor, provisioning: ProvisioningService) -> AccountsReport:
    return provisioning.report(actor)


@get(
    "/api/service-accounts/{host_id:int}",
    operation_id="getServiceAccount",
    summary="Our account on one host",
    tags=TAGS,
    opt=READ,
)
async def get_account(actor: Actor, provisioning: ProvisioningService, host_id: int) -> AccountRow:
    return provisioning.get(actor, host_id)


@post(
    "/api/service-accounts/provision",
    operation_id="provisionServiceAccounts",
    summary="Make the least-privilege account on hosts and switch to it",
    tags=TAGS,
    opt=CHANGE,
    status_code=202,
)
async def provision(actor: Actor, provisioning: ProvisioningService, data: ProvisionForm) -> Accepted:
    """Also goes on where an earlier try has stopped. The administrator's password is used and forgotten."""
    return await provisioning.provision(actor, data)


@post(
    "/api/service-accounts/rotate",
    operation_id="rotateServiceAccounts",
    summary="New passwords and tokens for accounts",
    tags=TAGS,
    opt=CHANGE,
    status_code=202,
)
async def rotate(actor: Actor, provisioning: ProvisioningService, data: RotateForm) -> Accepted:
    return await provisioning.rotate(actor, data)


@post(
    "/api/service-accounts/{host_id:int}/remove",
    operation_id="removeServiceAccount",
    summary="Delete our account from a host",
    tags=TAGS,
    opt=CHANGE,
    status_code=202,
)
async def remove(actor: Actor, provisioning: ProvisioningService, host_id: int, data: RemoveForm) -> AccountRow:
    """With ``forget_host`` the host is given back: it leaves PharmQ when its account is gone."""
    return await provisioning.remove(actor, host_id, data)


ROUTES = [list_accounts, get_report, get_account, provision, rotate, remove]
