"""RFB (VNC) as far as a relay needs it, without any I/O: authenticate to the host, ask nothing of the browser,
and know where the browser's messages end so that a keep-alive can be put between two of them.

Source of the outside rules: RFC 6143 and the rfbproto community document; QEMU's and noVNC's extensions.
"""

from pharmq.rfb.errors import RfbError, RfbFailure
from pharmq.rfb.host import RfbClientHandshake
from pharmq.rfb.keepalive import KEEPALIVE_INTERVAL, KEEPALIVE_REQUEST, ClientMessageWalker
from pharmq.rfb.viewer import RfbServerHandshake

__all__ = [
    "KEEPALIVE_INTERVAL",
    "KEEPALIVE_REQUEST",
    "ClientMessageWalker",
    "RfbClientHandshake",
    "RfbError",
    "RfbFailure",
    "RfbServerHandshake",
]
