"""`bpmnd tls`: a private authority for the nodes of one cluster, and their certificates."""

import argparse
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bpmnd.cli.errors import CommandError
from bpmnd.cli.settings import Commands

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

AUTHORITY: Final = "ca"

_AUTHORITY_DAYS: Final = 3650
_NODE_DAYS: Final = 825
_DAYS_MAX: Final = 36500
_NODE_MAX: Final = (1 << 31) - 1
_CLOCK_SKEW: Final = timedelta(hours=1)


def add_to(commands: Commands) -> None:
    parser = commands.add_parser("tls", help="make a private authority and node certificates")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    init = actions.add_parser(
        "init",
        help="make the authority of a cluster",
        description="Make a private certificate authority for one cluster: DIR/ca.pem, which each node needs,"
        " and DIR/ca.key, which no node needs. Keep the key where only you can read it: who has it can be any"
        " node.",
    )
    _add_directory(init)
    _add_days(init, _AUTHORITY_DAYS)
    init.set_defaults(run=_init)
    node = actions.add_parser(
        "node",
        help="make the key and certificate of a node",
        description="Make DIR/node-N.key and DIR/node-N.pem, signed by the authority in DIR. Copy both and"
        " ca.pem to the node. A certificate that ends is replaced: move the old key away, make a new one,"
        " restart the node.",
    )
    _add_directory(node)
    node.add_argument("--node", type=_node, required=True, metavar="N", help="id of the node")
    _add_days(node, _NODE_DAYS)
    node.set_defaults(run=_make_node)


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="where keys and certificates are kept")


def _add_days(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--days", type=_days, default=default, metavar="D", help=f"how long it is valid; {default}"
    )


def _node(text: str) -> int:
    if not text.isdecimal() or int(text) > _NODE_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is no node id")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _DAYS_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of days from 1 to {_DAYS_MAX}")
    return int(text)


def _init(options: argparse.Namespace) -> int:
    make_authority(options.directory, days=options.days)
    return 0


def _make_node(options: argparse.Namespace) -> int:
    make_node(options.directory, options.node, days=options.days)
    return 0


def make_authority(directory: Path, *, days: int = _AUTHORITY_DAYS) -> None:
    """Make `ca.key` and `ca.pem`. Raises CommandError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"bpmnd authority {os.urandom(4).hex()}")
    certificate = (
        _begun(name, name, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{directory}: {error.strerror}") from None
    _write(directory, AUTHORITY, key, certificate)


def make_node(directory: Path, node: int, *, days: int = _NODE_DAYS) -> None:
    """Make `node-N.key` and `node-N.pem`. Raises CommandError."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    from bpmnd.cluster.tls import name_of

    authority_key, authority = _authority(directory)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begun(_named(name_of(node)), authority.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name_of(node))]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    if certificate.not_valid_after_utc > authority.not_valid_after_utc:
        end = f"{authority.not_valid_after_utc:%Y-%m-%d}"
        raise CommandError(f"the authority ends on {end}, before the certificate would: give fewer --days")
    _write(directory, f"node-{node}", key, certificate)


def _authority(directory: Path) -> "tuple[ec.EllipticCurvePrivateKey, x509.Certificate]":
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = directory / f"{AUTHORITY}.key"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
        path = directory / f"{AUTHORITY}.pem"
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        raise CommandError(
            f"{path} is not there: make an authority with bpmnd tls init {directory}"
        ) from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):  # The latter for a key with a password.
        raise CommandError(f"{path} is damaged, or not what bpmnd tls init made") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CommandError(f"{directory}/{AUTHORITY}.key is not the key of {AUTHORITY}.pem")
    return key, certificate


def _begun(
    subject: "x509.Name", issuer: "x509.Name", key: "ec.EllipticCurvePublicKey", days: int
) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(text: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    directory: Path, stem: str, key: "ec.EllipticCurvePrivateKey", certificate: "x509.Certificate"
) -> None:
    """Write key and certificate, or neither. What is there already stays."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key_path, certificate_path = directory / f"{stem}.key", directory / f"{stem}.pem"
    for path in (key_path, certificate_path):
        if path.is_symlink() or path.exists():
            raise CommandError(f"{path} is there already, and nothing is overwritten")
    _write_new(key_path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    try:
        _write_new(certificate_path, certificate.public_bytes(Encoding.PEM))
    except CommandError:
        with suppress(OSError):
            key_path.unlink()
        raise
    print(f"{key_path} and {certificate_path}, valid until {certificate.not_valid_after_utc:%Y-%m-%d}")
    sys.stdout.flush()


def _write_new(path: Path, text: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise CommandError(f"{path} is there already, and nothing is overwritten") from None
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise CommandError(f"{path}: {error.strerror}") from None
