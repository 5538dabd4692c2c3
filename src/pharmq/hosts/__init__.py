"""Pharmacies, their Proxmox hosts, credentials and pins; one client per host; what is known of each right now."""

from pharmq.hosts.clients import HostClients
from pharmq.hosts.directory import Directory
from pharmq.hosts.model import (
    Check,
    GuestFact,
    Host,
    HostState,
    Hours,
    Pharmacy,
    PharmacyGroup,
    Pin,
)
from pharmq.hosts.service import HostsService

__all__ = [
    "Check",
    "Directory",
    "GuestFact",
    "Host",
    "HostClients",
    "HostState",
    "HostsService",
    "Hours",
    "Pharmacy",
    "PharmacyGroup",
    "Pin",
]
