"""Central manager for many independent Proxmox VE hosts."""
