"""The ground floor: time, ids, errors, secrets, supervised tasks. Knows nothing of Proxmox or the database."""
