"""Certificates as Proxmox makes them: an own authority per installation, one leaf per node."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KeyType = Literal["rsa", "ec"]
#: fixed, so that a world is the same on every day; valid until 2046
NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


def _name(**parts: str) -> x509.Name:
    oids = {"CN": NameOID.COMMON_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME, "O": NameOID.ORGANIZATION_NAME}
    return x509.Name([x509.NameAttribute(oids[key], value) for key, value in parts.items()])


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def make_identity(directory: Path, name: str, node: str, address: str, key_type: KeyType = "rsa") -> None:
    """Write ``<name>.pem`` (leaf), ``<name>.key`` and ``<name>-ca.pem`` into ``directory``.

    An RSA-2048 key takes 30-100 ms of CPU without holding the interpreter; use threads for many hosts.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(CN="Proxmox Virtual Environment", OU=f"{node}-{address}", O="PVE Cluster Manager CA")
    ca = (
        x509.CertificateBuilder()
        .subject_name(ca_name)
        .issuer_name(ca_name)
        .public_key(ca_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if key_type == "rsa":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address(address)),
        x509.DNSName(node),
    ]
    leaf = (
        x509.CertificateBuilder()
        .subject_name(_name(OU="PVE Cluster Node", O="Proxmox Virtual Environment", CN=node))
        .issuer_name(ca_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_BEFORE + timedelta(days=731))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / f"{name}.key").write_bytes(private)
    (directory / f"{name}-ca.pem").write_bytes(_pem(ca))
    # the leaf is written last: its presence says that the identity is complete
    (directory / f"{name}.pem").write_bytes(_pem(leaf))


class Identity:
    """A certificate in use: ``context`` for the listener, ``fingerprint`` as Proxmox prints it."""

    def __init__(self, directory: Path, name: str) -> None:
        leaf_path = directory / f"{name}.pem"
        self.pem = leaf_path.read_text()
        self.ca_pem = (directory / f"{name}-ca.pem").read_text()
        self.leaf = x509.load_pem_x509_certificate(self.pem.encode())
        self.fingerprint = self.leaf.fingerprint(hashes.SHA256()).hex(":").upper()
        # pveproxy offers TLS 1.2 and 1.3 without any session resumption
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_TICKET
        self.context.num_tickets = 0
        self.context.load_cert_chain(leaf_path, directory / f"{name}.key")

    @staticmethod
    def ensure(directory: Path, name: str, node: str, address: str, key_type: KeyType = "rsa") -> "Identity":
        if not (directory / f"{name}.pem").exists():
            make_identity(directory, name, node, address, key_type)
        return Identity(directory, name)
