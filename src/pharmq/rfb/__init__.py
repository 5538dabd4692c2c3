"""RFB (VNC) as far as a relay needs it, without any I/O: authenticate to the host, ask nothing of the browser,
know where the browser's messages end so that a keep-alive can be put between two of them, and leave out what one side
may not do or the other may not see.

Source of the outside rules: RFC 6143 and the rfbproto community document; QEMU's and noVNC's extensions.
"""

from pharmq.rfb.errors import RfbError, RfbFailure
from pharmq.rfb.host import RfbClientHandshake
from pharmq.rfb.keepalive import KEEPALIVE_INTERVAL, KEEPALIVE_REQUEST
from pharmq.rfb.sieve import ViewerSieve
from pharmq.rfb.veil import WALKABLE, ServerVeil
from pharmq.rfb.viewer import RfbServerHandshake

__all__ = [
    "KEEPALIVE_INTERVAL",
    "KEEPALIVE_REQUEST",
    "WALKABLE",
    "RfbClientHandshake",
    "RfbError",
    "RfbFailure",
    "RfbServerHandshake",
    "ServerVeil",
    "ViewerSieve",
]
