"""The endpoints; importing this package registers their handlers."""

from pharmq_sim.api import access, agent, cluster, config, console, guests, lxc, nodes, power, snapshots, tasks, users

__all__ = [
    "access",
    "agent",
    "cluster",
    "config",
    "console",
    "guests",
    "lxc",
    "nodes",
    "power",
    "snapshots",
    "tasks",
    "users",
]
