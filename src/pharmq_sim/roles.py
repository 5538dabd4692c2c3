"""Privileges and built-in roles of Proxmox VE 9.2, as GET /access/roles and the login's ``cap`` answered.

What 7 and 8 name differently stands in VERSION_PRIVILEGES (added, removed).
"""

PRIVILEGES: frozenset[str] = frozenset(
    [
        "Datastore.Allocate",
        "Datastore.AllocateSpace",
        "Datastore.AllocateTemplate",
        "Datastore.Audit",
        "Group.Allocate",
        "Mapping.Audit",
        "Mapping.Modify",
        "Mapping.Use",
        "Permissions.Modify",
        "Pool.Allocate",
        "Pool.Audit",
        "Realm.Allocate",
        "Realm.AllocateUser",
        "SDN.Allocate",
        "SDN.Audit",
        "SDN.Use",
        "Sys.AccessNetwork",
        "Sys.Audit",
        "Sys.Console",
        "Sys.Incoming",
        "Sys.Modify",
        "Sys.PowerMgmt",
        "Sys.Syslog",
        "User.Modify",
        "VM.Allocate",
        "VM.Audit",
        "VM.Backup",
        "VM.Clone",
        "VM.Config.CDROM",
        "VM.Config.CPU",
        "VM.Config.Cloudinit",
        "VM.Config.Disk",
        "VM.Config.HWType",
        "VM.Config.Memory",
        "VM.Config.Network",
        "VM.Config.Options",
        "VM.Console",
        "VM.GuestAgent.Audit",
        "VM.GuestAgent.FileRead",
        "VM.GuestAgent.FileSystemMgmt",
        "VM.GuestAgent.FileWrite",
        "VM.GuestAgent.Unrestricted",
        "VM.Migrate",
        "VM.PowerMgmt",
        "VM.Replicate",
        "VM.Snapshot",
        "VM.Snapshot.Rollback",
    ]
)

SPECIAL_ROLES: dict[str, frozenset[str]] = {
    "NoAccess": frozenset(),
    "PVEAdmin": frozenset(
        [
            "Datastore.Allocate",
            "Datastore.AllocateSpace",
            "Datastore.AllocateTemplate",
            "Datastore.Audit",
            "Group.Allocate",
            "Mapping.Audit",
            "Mapping.Use",
            "Pool.Allocate",
            "Pool.Audit",
            "Realm.AllocateUser",
            "SDN.Allocate",
            "SDN.Audit",
            "SDN.Use",
            "Sys.Audit",
            "Sys.Console",
            "Sys.Syslog",
            "User.Modify",
            "VM.Allocate",
            "VM.Audit",
            "VM.Backup",
            "VM.Clone",
            "VM.Config.CDROM",
            "VM.Config.CPU",
            "VM.Config.Cloudinit",
            "VM.Config.Disk",
            "VM.Config.HWType",
            "VM.Config.Memory",
            "VM.Config.Network",
            "VM.Config.Options",
            "VM.Console",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.GuestAgent.Unrestricted",
            "VM.Migrate",
            "VM.PowerMgmt",
            "VM.Replicate",
            "VM.Snapshot",
            "VM.Snapshot.Rollback",
        ]
    ),
    "PVEAuditor": frozenset(
        ["Datastore.Audit", "Mapping.Audit", "Pool.Audit", "SDN.Audit", "Sys.Audit", "VM.Audit", "VM.GuestAgent.Audit"]
    ),
    "PVEDatastoreAdmin": frozenset(
        ["Datastore.Allocate", "Datastore.AllocateSpace", "Datastore.AllocateTemplate", "Datastore.Audit"]
    ),
    "PVEDatastoreUser": frozenset(["Datastore.AllocateSpace", "Datastore.Audit"]),
    "PVEMappingAdmin": frozenset(["Mapping.Audit", "Mapping.Modify", "Mapping.Use"]),
    "PVEMappingUser": frozenset(["Mapping.Audit", "Mapping.Use"]),
    "PVEPoolAdmin": frozenset(["Pool.Allocate", "Pool.Audit"]),
    "PVEPoolUser": frozenset(["Pool.Audit"]),
    "PVESDNAdmin": frozenset(["SDN.Allocate", "SDN.Audit", "SDN.Use"]),
    "PVESDNUser": frozenset(["SDN.Audit", "SDN.Use"]),
    "PVESysAdmin": frozenset(["Sys.Audit", "Sys.Console", "Sys.Syslog"]),
    "PVETemplateUser": frozenset(["VM.Audit", "VM.Clone"]),
    "PVEUserAdmin": frozenset(["Group.Allocate", "Realm.AllocateUser", "User.Modify"]),
    "PVEVMAdmin": frozenset(
        [
            "VM.Allocate",
            "VM.Audit",
            "VM.Backup",
            "VM.Clone",
            "VM.Config.CDROM",
            "VM.Config.CPU",
            "VM.Config.Cloudinit",
            "VM.Config.Disk",
            "VM.Config.HWType",
            "VM.Config.Memory",
            "VM.Config.Network",
            "VM.Config.Options",
            "VM.Console",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.GuestAgent.Unrestricted",
            "VM.Migrate",
            "VM.PowerMgmt",
            "VM.Replicate",
            "VM.Snapshot",
            "VM.Snapshot.Rollback",
        ]
    ),
    "PVEVMUser": frozenset(
        [
            "VM.Audit",
            "VM.Backup",
            "VM.Config.CDROM",
            "VM.Config.Cloudinit",
            "VM.Console",
            "VM.GuestAgent.Audit",
            "VM.GuestAgent.FileRead",
            "VM.GuestAgent.FileSystemMgmt",
            "VM.GuestAgent.FileWrite",
            "VM.PowerMgmt",
        ]
    ),
}

#: section of ``cap`` -> (ACL path it is computed at, privileges it may show)
CAPABILITIES: dict[str, tuple[str, frozenset[str]]] = {
    "nodes": (
        "/nodes",
        frozenset(
            [
                "Permissions.Modify",
                "Sys.AccessNetwork",
                "Sys.Audit",
                "Sys.Console",
                "Sys.Incoming",
                "Sys.Modify",
                "Sys.PowerMgmt",
                "Sys.Syslog",
            ]
        ),
    ),
    "access": ("/access/groups", frozenset(["Group.Allocate", "Permissions.Modify", "User.Modify"])),
    "sdn": ("/sdn", frozenset(["Permissions.Modify", "SDN.Allocate", "SDN.Audit", "SDN.Use"])),
    "vms": (
        "/vms",
        frozenset(
            [
                "Permissions.Modify",
                "VM.Allocate",
                "VM.Audit",
                "VM.Backup",
                "VM.Clone",
                "VM.Config.CDROM",
                "VM.Config.CPU",
                "VM.Config.Cloudinit",
                "VM.Config.Disk",
                "VM.Config.HWType",
                "VM.Config.Memory",
                "VM.Config.Network",
                "VM.Config.Options",
                "VM.Console",
                "VM.GuestAgent.Audit",
                "VM.GuestAgent.FileRead",
                "VM.GuestAgent.FileSystemMgmt",
                "VM.GuestAgent.FileWrite",
                "VM.GuestAgent.Unrestricted",
                "VM.Migrate",
                "VM.PowerMgmt",
                "VM.Replicate",
                "VM.Snapshot",
                "VM.Snapshot.Rollback",
            ]
        ),
    ),
    "storage": (
        "/storage",
        frozenset(
            [
                "Datastore.Allocate",
                "Datastore.AllocateSpace",
                "Datastore.AllocateTemplate",
                "Datastore.Audit",
                "Permissions.Modify",
            ]
        ),
    ),
    "mapping": ("/mapping", frozenset(["Mapping.Audit", "Mapping.Modify", "Mapping.Use", "Permissions.Modify"])),
    "dc": ("/", frozenset(["SDN.Allocate", "SDN.Audit", "SDN.Use", "Sys.Audit", "Sys.Modify"])),
}

_AGENT = frozenset(p for p in PRIVILEGES if p.startswith("VM.GuestAgent."))
#: major version -> (privileges only it knows, privileges it does not know yet)
VERSION_PRIVILEGES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "8": (frozenset({"VM.Monitor"}), _AGENT | {"VM.Replicate"}),
    "7": (
        frozenset({"VM.Monitor"}),
        _AGENT | {"VM.Replicate"} | frozenset(p for p in PRIVILEGES if p.startswith(("Mapping.", "SDN.Use"))),
    ),
}
