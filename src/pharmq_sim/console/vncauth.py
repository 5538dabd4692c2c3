"""VNC authentication (RFB security type 2): DES over a challenge with a bit-reversed eight-byte password."""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def response(password: str, challenge: bytes) -> bytes:
    """What a client that knows ``password`` answers to the 16 bytes of ``challenge``. Only eight bytes count."""
    key = password.encode("latin-1")[:8].ljust(8, b"\0").translate(_REVERSED)
    # Three equal keys make triple DES the single DES that the protocol asks for.
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()  # noqa: S305  the protocol knows no other
    return encryptor.update(challenge) + encryptor.finalize()
