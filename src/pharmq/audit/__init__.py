"""What happened: the journal, read by people, page by page and filtered by what they may see."""

from pharmq.audit.service import AuditService, EventRow

__all__ = ["AuditService", "EventRow"]
