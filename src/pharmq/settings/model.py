"""Settings that may change while PharmQ runs; each with its unit, its bounds and a default that suits 100 hosts."""

from typing import Annotated, Literal

import msgspec

Network = Annotated[str, msgspec.Meta(min_length=2, max_length=43)]
Seconds = Annotated[float, msgspec.Meta(ge=1, le=86400)]
KindWord = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class KindRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Guests whose name holds one of ``words`` are of this kind. A word's Latin ends must stand alone ("pos" is in
    "POS-1", not in "compose"); ``*`` stands for anything, Korean needs none."""

    kind: Literal["kiosk", "pos", "server", "backup", "other"]
    words: Annotated[tuple[KindWord, ...], msgspec.Meta(min_length=1, max_length=50)]


KIND_RULES = (
    KindRule("backup", ("*backup*", "*back-up*", "bak", "pbs", "백업")),
    KindRule("kiosk", ("*kiosk*", "키오스크", "무인")),
    KindRule("pos", ("pos", "포스", "판매")),
    KindRule("server", ("*server*", "srv", "db", "서버")),
)


class RuntimeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    poll_interval_s: Annotated[float, msgspec.Meta(ge=2, le=3600)] = 10.0
    slow_interval_s: Annotated[float, msgspec.Meta(ge=30, le=86400)] = 300.0
    """Rhythm of guest addresses and certificate expiry."""
    offline_after: Annotated[int, msgspec.Meta(ge=1, le=20)] = 2
    """Consecutive failed polls before a host is called offline."""
    kind_rules: Annotated[tuple[KindRule, ...], msgspec.Meta(max_length=50)] = KIND_RULES
    """What a VM's name says of its kind: the first rule that fits. Its tags come before them, a person's word last."""
    purge_missing_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0
    """A VM is forgotten with all that was said of it when its host has not listed it for so many days and says, when
    asked, that there is none; 0: only by hand."""
    handshakes_max: Annotated[int, msgspec.Meta(ge=1, le=500)] = 20
    """TLS handshakes under way at once, over all hosts."""
    certificate_warning_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 30
    jobs_per_host: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    jobs_total: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    consoles_per_host: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    """A console costs its host about 134 MB of memory."""
    consoles_total: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 200
    consoles_per_user: Annotated[int, msgspec.Meta(ge=1, le=500)] = 30
    console_idle_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 120
    """A console without a key or a click for so long is closed; 0: never."""
    console_hours: Annotated[float, msgspec.Meta(ge=0.1, le=168)] = 12.0
    """The longest a console stays open, used or not."""
    console_claim_s: Annotated[float, msgspec.Meta(ge=5, le=300)] = 30.0
    session_hours: Annotated[float, msgspec.Meta(ge=0.1, le=720)] = 12.0
    session_idle_hours: Annotated[float, msgspec.Meta(ge=0.1, le=720)] = 4.0
    second_factor_required: bool = False
    """Everybody needs a second factor, wherever they are."""
    inside_networks: Annotated[tuple[Network, ...], msgspec.Meta(max_length=50)] = ()
    """Addresses and networks of one's own offices. From anywhere else a second factor is always needed; none given:
    nowhere counts as outside."""
    lock_minutes: Annotated[int, msgspec.Meta(ge=0, le=480)] = 30
    """Minutes without a key or a click after which the screen is locked; 0: never."""
    reauth_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 15
    """How long a shown password is good for changing credentials and access."""
    invitation_hours: Annotated[int, msgspec.Meta(ge=1, le=720)] = 72
    rotate_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0
    """Service accounts get a new password and token after so many days; 0: only when asked."""
    provision_automatically: bool = False
    """Hosts that are known by an administrator's password get a service account without being asked."""
    keep_access_days: Annotated[int, msgspec.Meta(ge=730, le=36500)] = 1095
    """Days for which what happened and who looked at it is kept; never below two years."""
    keep_grants_days: Annotated[int, msgspec.Meta(ge=1095, le=36500)] = 1825
    """Days for which changes of rights and credentials, exports and cuts are kept; never below three years."""
    syslog_url: Annotated[str, msgspec.Meta(max_length=255, pattern=r"^$|^(udp|tcp|tls)://[^\s/@?#]+/?$")] = ""
    """Where the journal is forwarded (RFC 5424): udp://, tcp:// or tls:// with host and port; empty: nowhere."""
