"""Why a handshake ended."""

from typing import Literal, TypeAlias

RfbFailure: TypeAlias = Literal["not_rfb", "security_unsupported", "auth_failed", "refused"]


class RfbError(Exception):
    """``failure`` for decisions, ``reason`` is the other side's own text (may be empty).

    - ``not_rfb``: the bytes are no RFB handshake;
    - ``security_unsupported``: only security types that we do not speak (``reason`` lists them);
    - ``auth_failed``: the password was not accepted (another console was opened meanwhile, or 30 s passed);
    - ``refused``: the server ended the handshake before security, with its reason.
    """

    def __init__(self, failure: RfbFailure, reason: str = "") -> None:
        super().__init__(f"{failure}: {reason}" if reason else failure)
        self.failure: RfbFailure = failure
        self.reason = reason
