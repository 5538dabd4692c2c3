"""Looking at every host, each on its own rhythm, and telling the inventory what was seen."""

from pharmq.polling.fleet import Fleet, FleetStats, PollCount

__all__ = ["Fleet", "FleetStats", "PollCount"]
