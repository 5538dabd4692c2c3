"""The stream to browsers: a snapshot first, then what changes, coalesced, filtered by what one may see."""

from pharmq.live.service import LiveService

__all__ = ["LiveService"]
