"""The services of this room that need each other, put together."""

from collections.abc import Callable

from pharmq.audit.export import AuditExport
from pharmq.audit.forward import Forwarder
from pharmq.audit.proof import ProofService
from pharmq.audit.retention import RetentionService
from pharmq.audit.review import ReviewService
from pharmq.audit.search import AuditSearch
from pharmq.audit.service import AuditService
from pharmq.db.leases import Leases
from pharmq.settings import RuntimeSettings


class Auditing:
    def __init__(
        self, events: AuditService, proof: ProofService, leases: Leases, settings: Callable[[], RuntimeSettings]
    ) -> None:
        db, journal, clock = proof.db, proof.journal, proof.clock
        self.search = AuditSearch(db, journal, events)
        self.export = AuditExport(db, journal, self.search, events, clock)
        self.review = ReviewService(db, journal, self.search, clock)
        self.forwarder = Forwarder(db, journal, leases, clock, settings)
        self.retention = RetentionService(proof, settings)
        self.proof = proof

    async def start(self) -> None:
        await self.proof.start()
        await self.retention.start()
        await self.forwarder.start()

    async def aclose(self) -> None:
        await self.forwarder.aclose()
        await self.retention.aclose()
        await self.proof.aclose()
