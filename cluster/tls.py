"""Mutual TLS: both ends show a certificate of the cluster's own authority that names their node."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import final

from bpmnd.cluster.errors import TransportError


@final
@dataclass(frozen=True, slots=True)
class TlsFiles:
    ca: Path
    certificate: Path
    key: Path


def name_of(node: int) -> str:
    """The DNS name in the certificate of a node. Nothing resolves it."""
    return f"node-{node}.bpmnd"


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Raises TransportError."""
    return _context(files, ssl.PROTOCOL_TLS_SERVER)


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """For connections that name the node they expect as `server_hostname`. Raises TransportError."""
    return _context(files, ssl.PROTOCOL_TLS_CLIENT)


def _context(files: TlsFiles, side: int) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    for path in (files.ca, files.certificate, files.key):
        try:
            path.open("rb").close()  # The errors of the ssl module do not name the file.
        except OSError as error:
            raise TransportError(f"TLS file {path}: {error.strerror}") from None
    try:
        context.load_verify_locations(files.ca)
    except (ssl.SSLError, OSError) as error:
        raise TransportError(f"TLS file {files.ca} holds no certificate authority: {error}") from None
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise TransportError(f"TLS files {files.certificate} and {files.key} do not fit: {error}") from None
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def is_certified(transport: asyncio.BaseTransport, node: int) -> bool:
    """Whether the certificate at the other end, which is verified already, names the node."""
    certificate: dict[str, object] = transport.get_extra_info("peercert") or {}
    names = certificate.get("subjectAltName", ())
    assert isinstance(names, tuple), "as the ssl module documents it"
    return ("DNS", name_of(node)) in names
