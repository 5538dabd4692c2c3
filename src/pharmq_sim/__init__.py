"""A simulated fleet of Proxmox VE hosts, as truthful as the recordings it was made from."""
