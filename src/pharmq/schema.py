"""Every room's tables: importing this module makes them all known to the shared metadata."""

from pharmq.access import tables as access_tables
from pharmq.audit import tables as audit_tables
from pharmq.consoles import tables as consoles_tables
from pharmq.db import tables as db_tables
from pharmq.hosts import tables as hosts_tables
from pharmq.inventory import tables as inventory_tables
from pharmq.jobs import tables as jobs_tables
from pharmq.journal import tables as journal_tables
from pharmq.provisioning import tables as provisioning_tables
from pharmq.schedules import tables as schedules_tables
from pharmq.settings import tables as settings_tables
from pharmq.vault import tables as vault_tables
from pharmq.vault.rotation import SealedColumn

TABLES = (
    access_tables,
    audit_tables,
    consoles_tables,
    db_tables,
    hosts_tables,
    inventory_tables,
    jobs_tables,
    journal_tables,
    provisioning_tables,
    schedules_tables,
    settings_tables,
    vault_tables,
)

SEALED = (
    SealedColumn(access_tables.users, "id", "second_factor"),
    SealedColumn(access_tables.users, "id", "second_factor_next"),
    SealedColumn(audit_tables.journal_keys, "id", "private"),
    SealedColumn(hosts_tables.credentials, "id", "secret"),
    SealedColumn(hosts_tables.proxmox_hosts, "id", "password"),
    SealedColumn(provisioning_tables.service_accounts, "host_id", "password"),
    SealedColumn(provisioning_tables.service_accounts, "host_id", "password_next"),
    SealedColumn(provisioning_tables.service_accounts, "host_id", "token_next_value"),
)
"""Every column that holds sealed values. A new one must be named here, else a rotation would leave it unreadable."""
