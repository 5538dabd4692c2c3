"""Central manager for many independent Proxmox VE hosts."""

__version__ = "0.1.0"
