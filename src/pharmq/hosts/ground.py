"""What every service of this room stands on."""

from collections.abc import Callable
from typing import NamedTuple

from pharmq.access import Actor, Privilege, Scope, allows, require
from pharmq.base.clock import Clock
from pharmq.base.errors import NotFound
from pharmq.db import Database
from pharmq.hosts.clients import HostClients
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import Host, Pharmacy
from pharmq.journal import Journal
from pharmq.settings import RuntimeSettings
from pharmq.vault import Vault


class Ground(NamedTuple):
    db: Database
    journal: Journal
    vault: Vault
    directory: Directory
    clients: HostClients
    clock: Clock
    settings: Callable[[], RuntimeSettings]

    def host(self, actor: Actor, host_id: int, privilege: Privilege = Privilege.SEE) -> tuple[Host, Scope]:
        """A host the actor may see, and hold ``privilege`` on. Raises NotFound, Forbidden."""
        host = self.directory.host(host_id)
        if host is None:
            raise NotFound("host.not_found", params={"id": str(host_id)})
        scope = self.directory.scope(host_id)
        if not allows(actor, Privilege.SEE, scope):
            raise NotFound("host.not_found", params={"id": str(host_id)})
        require(actor, privilege, scope)
        return host, scope

    def pharmacy(self, actor: Actor, pharmacy_id: int, privilege: Privilege = Privilege.SEE) -> tuple[Pharmacy, Scope]:
        """A pharmacy the actor may see, and hold ``privilege`` on. Raises NotFound, Forbidden."""
        pharmacy = self.directory.pharmacy(pharmacy_id)
        if pharmacy is None or not allows(actor, Privilege.SEE, scope := self.directory.scope_of_pharmacy(pharmacy_id)):
            raise NotFound("pharmacy.not_found", params={"id": str(pharmacy_id)})
        require(actor, privilege, scope)
        return pharmacy, scope
