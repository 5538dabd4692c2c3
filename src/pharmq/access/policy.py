"""Where somebody comes from, and whether a second factor is needed there. Pure."""

import ipaddress
from collections.abc import Iterable

from pharmq.settings import RuntimeSettings


def is_inside(source: str | None, networks: Iterable[str]) -> bool:
    """True when the address lies in one of the networks. Without networks nowhere is outside; what is no address is."""
    wanted = [ipaddress.ip_network(network, strict=False) for network in networks]
    if not wanted:
        return True
    try:
        address = ipaddress.ip_address((source or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in wanted if network.version == address.version)


def needs_second_factor(settings: RuntimeSettings, source: str | None) -> bool:
    return settings.second_factor_required or not is_inside(source, settings.inside_networks)
