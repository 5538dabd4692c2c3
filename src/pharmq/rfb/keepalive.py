"""Keeping a quiet console open. The host ends one after 15 minutes without an RFB byte in either direction;
a request for one pixel each minute is such a byte, but it may only stand between two messages of the viewer."""

from typing import Literal, TypeAlias

KEEPALIVE_REQUEST = b"\x03\x00" + b"\0\0" + b"\0\0" + b"\0\x01" + b"\0\x01"
"""FramebufferUpdateRequest, not incremental (an incremental one would go unanswered), the pixel at 0,0."""
KEEPALIVE_INTERVAL = 60.0
"""Seconds."""

_Size: TypeAlias = "int | Literal['more', 'lost']"

# Message type -> whole size in bytes, where it is fixed (RFC 6143 7.5; rfbproto).
_FIXED = {
    0: 20,  # SetPixelFormat
    3: 10,  # FramebufferUpdateRequest
    4: 8,  # KeyEvent
    150: 10,  # EnableContinuousUpdates
    250: 4,  # xvp
}


def message_size(head: bytes | bytearray) -> _Size:
    """The whole size of the message that begins with ``head``, ``more`` if that is not known yet, or ``lost``."""
    kind = head[0]
    if (fixed := _FIXED.get(kind)) is not None:
        return fixed
    if kind == 5:  # PointerEvent; with the extended mouse buttons' marker bit one byte more (noVNC >= 1.6)
        return "more" if len(head) < 2 else 7 if head[1] & 0x80 else 6
    if kind == 2:  # SetEncodings
        return "more" if len(head) < 4 else 4 + 4 * int.from_bytes(head[2:4], "big")
    if kind == 6:  # ClientCutText; a negative length marks the extended clipboard
        return "more" if len(head) < 8 else 8 + abs(int.from_bytes(head[4:8], "big", signed=True))
    if kind == 248:  # Fence
        return "more" if len(head) < 9 else 9 + head[8]
    if kind == 251:  # SetDesktopSize
        return "more" if len(head) < 8 else 8 + 16 * head[6]
    if kind == 255:
        return _qemu_size(head)
    return "lost"


def _qemu_size(head: bytes | bytearray) -> _Size:
    if len(head) < 2:
        return "more"
    if head[1] == 0:  # extended key event
        return 12
    if head[1] != 1:
        return "lost"
    if len(head) < 4:  # audio: enable and disable are 4 bytes, set format is 10
        return "more"
    return {0: 4, 1: 4, 2: 10}.get(int.from_bytes(head[2:4], "big"), "lost")
