"""Roles, users, passwords and tokens of a host: what making and rotating a service account needs.

Observed on 9.2: a role with one unknown privilege is refused whole; an existing role or user is a 500 with
"already exists"; a missing token a 500 with "no such token"; a token may not manage tokens, its user with a ticket
may manage its own; changing a password needs the changer's own as confirmation, which old versions do not know.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from pharmq.base.secret import Secret
from pharmq.pve.client import PveClient
from pharmq.pve.errors import HostFault, ParameterRefused, ProtocolError

_UNKNOWN = re.compile(r"invalid privilege '([A-Za-z.]+)'")


class _NewToken(msgspec.Struct, gc=False, rename={"full": "full-tokenid"}):
    value: str
    full: str = ""


class _TokenRow(msgspec.Struct, gc=False):
    tokenid: str


class _Made(msgspec.Struct, gc=False):
    data: _NewToken


class _Tokens(msgspec.Struct, gc=False):
    data: list[_TokenRow]


_made = msgspec.json.Decoder(_Made)
_tokens = msgspec.json.Decoder(_Tokens)


class NewToken(NamedTuple):
    """``name`` is ``user@realm!token``; the value is told once."""

    name: str
    value: Secret


class Accounts:
    """Account management through one client's login. Every method may raise what ``PveClient``'s may."""

    def __init__(self, client: PveClient) -> None:
        self.client = client

    async def put_role(self, role: str, privileges: Iterable[str]) -> None:
        """Create a role, or make it hold exactly these privileges. Raises ParameterRefused (``unknown_privilege``)."""
        text = ",".join(sorted(privileges))
        try:
            await self._write("POST", "/access/roles", {"roleid": role, "privs": text})
        except HostFault as fault:
            if not _exists(fault):
                raise
            await self._write("PUT", f"/access/roles/{_seg(role)}", {"privs": text})

    async def delete_role(self, role: str) -> None:
        """Nothing happens when it is gone."""
        await self._delete(f"/access/roles/{_seg(role)}", "does not exist")

    async def create_user(self, user: str, password: Secret, comment: str) -> bool:
        """False when the user exists already; its password is then what it was."""
        form = {"userid": user, "password": password.reveal(), "comment": comment}
        try:
            await self._write("POST", "/access/users", form)
        except HostFault as fault:
            if not _exists(fault):
                raise
            return False
        return True

    async def delete_user(self, user: str) -> None:
        """Its tokens and ACL entries go with it at once. Nothing happens when it is gone."""
        await self._delete(f"/access/users/{_seg(user)}", "no such user")

    async def grant(self, user: str, role: str) -> None:
        """The role on everything."""
        await self._write("PUT", "/access/acl", {"path": "/", "users": user, "roles": role, "propagate": "1"})

    async def set_password(self, user: str, new: Secret, own: Secret) -> None:
        """``own`` is the password of whoever is logged in here."""
        form = {"userid": user, "password": new.reveal()}
        try:
            await self._write("PUT", "/access/password", form | {"confirmation-password": own.reveal()})
        except ParameterRefused as error:
            if "not defined in schema" not in error.errors.get("confirmation-password", ""):
                raise
            await self._write("PUT", "/access/password", form)

    async def tokens(self, user: str) -> frozenset[str]:
        """Names of a user's tokens, without the user."""
        return decode_tokens(await self.client._get(f"/access/users/{_seg(user)}/token"))

    async def create_token(self, user: str, name: str) -> NewToken:
        """A token that may what its user may. Raises ParameterRefused when the name is taken."""
        body = await self._write("POST", f"/access/users/{_seg(user)}/token/{_seg(name)}", {"privsep": "0"})
        return NewToken(f"{user}!{name}", decode_new_token(body))

    async def delete_token(self, user: str, name: str) -> None:
        """Nothing happens when it is gone."""
        await self._delete(f"/access/users/{_seg(user)}/token/{_seg(name)}", "no such token")

    async def _write(self, method: str, path: str, form: Mapping[str, str]) -> bytes:
        reply = await self.client._call(method, path, urlencode(form), self.client._timeouts.write)
        return reply.body

    async def _delete(self, path: str, gone: str) -> None:
        try:
            await self.client._call("DELETE", path, None, self.client._timeouts.write)
        except HostFault as fault:
            if gone not in fault.detail:
                raise


def unknown_privilege(error: ParameterRefused) -> str | None:
    """The privilege that this version does not have, when that is what it says."""
    found = _UNKNOWN.search(error.errors.get("privs", ""))
    return found[1] if found else None


def decode_tokens(body: bytes) -> frozenset[str]:
    return frozenset(row.tokenid for row in _decoded(_tokens, body).data)


def decode_new_token(body: bytes) -> Secret:
    return Secret(_decoded(_made, body).data.value)


def _exists(fault: HostFault) -> bool:
    return "already exists" in fault.detail


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ProtocolError(str(error), executed="unknown") from None


def _seg(text: str) -> str:
    return quote(text, safe="@")
