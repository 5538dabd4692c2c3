"""VNC authentication's only primitive: DES with each key byte's bits reversed (a bug of the first VNC, kept since)."""

import warnings

from cryptography.hazmat.primitives.ciphers import Cipher, modes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def vnc_response(password: str, challenge: bytes) -> bytes:
    """The 16-byte answer to a 16-byte challenge. Only the password's first 8 bytes count."""
    key = password.encode("latin-1", "replace")[:8].ljust(8, b"\0").translate(_REVERSED)
    # Three times the same key makes triple DES plain DES, the only form the library still offers.
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305 (RFC 6143 7.2.2)
    return encryptor.update(challenge) + encryptor.finalize()
