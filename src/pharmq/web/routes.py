"""Health of this process, and the run-time settings."""

from typing import Any

import msgspec
from litestar import Response, get, put
from sqlalchemy import text

from pharmq.access import EVERYTHING, Actor, Privilege, require, who
from pharmq.access.callers import SignedIn
from pharmq.access.service import AccessService
from pharmq.db import Database
from pharmq.settings import RuntimeSettings, SettingsService


class Health(msgspec.Struct):
    status: str


class Readiness(msgspec.Struct):
    ready: bool
    checks: dict[str, bool]


@get("/healthz", operation_id="getHealth", summary="Is the process alive", tags=["server"], opt={"public": True})
async def healthz() -> Health:
    return Health("ok")


@get("/readyz", operation_id="getReadiness", summary="Can it serve", tags=["server"], opt={"public": True})
async def readyz(db: Database, ready_checks: dict[str, Any]) -> Response[Readiness]:
    checks = {name: bool(check()) for name, check in ready_checks.items()}
    try:
        async with db.read() as conn:
            await conn.execute(text("SELECT 1"))
        checks["database"] = True
    except OSError:
        checks["database"] = False
    ready = all(checks.values())
    return Response(content=Readiness(ready, checks), status_code=200 if ready else 503)


@get(
    "/api/settings",
    operation_id="getSettings",
    summary="Run-time settings",
    tags=["settings"],
    opt={"privilege": Privilege.SETTINGS_EDIT},
)
async def get_settings(actor: Actor, settings: SettingsService) -> RuntimeSettings:
    require(actor, Privilege.SETTINGS_EDIT, EVERYTHING)
    return settings.current


@put(
    "/api/settings",
    operation_id="putSettings",
    summary="Change run-time settings",
    tags=["settings"],
    opt={"privilege": Privilege.SETTINGS_EDIT, "recent": True},
)
async def put_settings(
    signed_in: SignedIn, data: RuntimeSettings, settings: SettingsService, access: AccessService
) -> RuntimeSettings:
    actor = signed_in.actor
    require(actor, Privilege.SETTINGS_EDIT, EVERYTHING)
    access.check_settings(signed_in, data)
    return await settings.change(who(actor), data)


ROUTES = [healthz, readyz, get_settings, put_settings]
