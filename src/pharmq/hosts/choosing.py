"""Which credential a host gets: a shared set, or one of its own."""

from typing import NamedTuple

import msgspec

from pharmq.base.errors import FieldError, Invalid
from pharmq.base.secret import Secret
from pharmq.hosts import store
from pharmq.hosts.clients import as_credential
from pharmq.hosts.credentials import check_username
from pharmq.hosts.forms import OwnCredential
from pharmq.hosts.ground import Ground
from pharmq.hosts.model import LATCHING, CredentialKind, Host
from pharmq.pve import Credential


class Chosen(NamedTuple):
    """``own_secret`` is None with a shared set; ``field`` is what a person corrects when the host refuses it."""

    credential: Credential
    own_secret: Secret | None
    field: str


async def choose(
    ground: Ground, draft: Host, credential_id: int | None, own: OwnCredential | None
) -> tuple[Host, Chosen]:
    """The draft with the credential a person named, its revision a new one. Raises Invalid."""
    if (credential_id is None) == (own is None):
        raise Invalid("request.invalid", fields={"credential": [FieldError("host.one_credential")]})
    if own is not None:
        username = own.username.strip()
        check_username(own.kind, username, "credential.username")
        secret = Secret(own.secret)
        async with ground.db.read() as conn:
            revision = await store.own_revision(conn, draft.id) + 1 if draft.id else 1
        made = _with_credential(draft, None, own.kind, username, revision)
        return made, Chosen(as_credential(own.kind, username, secret), secret, "credential.secret")
    assert credential_id is not None
    async with ground.db.read() as conn:
        stored = await store.credential_set(conn, credential_id)
    if stored is None:
        raise Invalid("request.invalid", fields={"credential_id": [FieldError("credential.not_found")]})
    secret = ground.clients.set_credential(credential_id)
    made = _with_credential(draft, stored.id, stored.kind, stored.username, stored.revision)
    return made, Chosen(as_credential(stored.kind, stored.username, secret), None, "credential_id")


def latched(host: Host, reason: str) -> Host:
    """The host as one that has refused its present credential, if that is what ``reason`` says."""
    refused = host.credential_revision if reason in LATCHING else None
    return msgspec.structs.replace(host, refused_revision=refused)


def _with_credential(host: Host, number: int | None, kind: CredentialKind, username: str, revision: int) -> Host:
    return msgspec.structs.replace(
        host,
        credential_id=number,
        credential_kind=kind,
        username=username,
        credential_revision=revision,
        refused_revision=None,
    )
