"""Who is trusted, who we are, and what is said when one of the two does not hold."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from sendpoll.core.dialing.dial import Dialer, DialError, dial_fault
from sendpoll.core.dialing.tls import tls_context
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError
from tests.core.dialing.servers import listening


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="files")
def _files(authority: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    """The authority, and a client's certificate with its key, in one file and in two."""
    mine = authority.issue_cert("client@example.org")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key", "both", "other")}
    authority.cert_pem.write_to_path(str(files["ca"]))
    mine.cert_chain_pems[0].write_to_path(str(files["cert"]))
    mine.private_key_pem.write_to_path(str(files["key"]))
    mine.private_key_and_cert_chain_pem.write_to_path(str(files["both"]))
    authority.issue_cert("else@example.org").private_key_pem.write_to_path(str(files["other"]))
    return files


def server_side(authority: trustme.CA, *, asks: bool, newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = newest
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def said(target: Target) -> str:
    """What a server answers, or why it does not."""
    try:
        connection = Dialer(target).dial(10.0)
    except DialError as error:
        return str(error)
    try:
        connection.settimeout(10)
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        return str(connection.recv(100).decode())
    except OSError as error:
        return dial_fault(error, presented=target.client_cert is not None)[1]
    finally:
        connection.close()


VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


@pytest.mark.parametrize("newest", VERSIONS)
def test_a_server_that_asks_for_a_certificate_gets_it(
    authority: trustme.CA, files: dict[str, Path], newest: ssl.TLSVersion
) -> None:
    with listening("127.0.0.1", tls=server_side(authority, asks=True, newest=newest)) as (port, _):
        target: dict[str, Any] = {"base_url": f"https://127.0.0.1:{port}", "ca_file": files["ca"]}
        assert said(Target(**target, client_cert=files["both"])).startswith("HTTP/1.1 404")
        two = Target(**target, client_cert=files["cert"], client_key=files["key"])
        assert said(two).startswith("HTTP/1.1 404")
        assert "--cert and --key" in said(Target(**target))


def test_a_client_whose_certificate_is_refused_is_told_so(files: dict[str, Path], tmp_path: Path) -> None:
    stranger, theirs = trustme.CA(), tmp_path / "theirs.pem"
    stranger.cert_pem.write_to_path(str(theirs))
    tls = server_side(stranger, asks=True, newest=ssl.TLSVersion.TLSv1_3)
    with listening("127.0.0.1", tls=tls) as (port, _):
        target = Target(base_url=f"https://127.0.0.1:{port}", ca_file=theirs, client_cert=files["both"])
        assert "it refuses the client's certificate that was given" in said(target)


@pytest.mark.parametrize(
    ("cert", "key", "told"),
    [
        ("cert", "other", "it is not the key of this certificate"),
        ("cert", None, "give a certificate and its key in PEM"),
        ("key", "key", "give a certificate and its key in PEM"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_named(
    files: dict[str, Path], cert: str, key: str | None, told: str
) -> None:
    target = Target(base_url="https://h", client_cert=files[cert], client_key=files[key] if key else None)
    with pytest.raises(TargetError, match=told):
        Dialer(target)


def test_an_encrypted_key_is_refused_and_not_asked_for(files: dict[str, Path], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - it comes with trustme

    read = serialization.load_pem_private_key(files["key"].read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        read.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"passphrase"),
        )
    )
    with pytest.raises(TargetError, match="is encrypted"):
        Dialer(Target(base_url="https://h", client_cert=files["cert"], client_key=locked))


def test_a_key_needs_its_certificate(files: dict[str, Path]) -> None:
    with pytest.raises(TargetError, match="--cert"):
        Target(client_key=files["key"])


def test_no_more_is_asked_of_an_authority_than_the_published_clients_ask(files: dict[str, Path]) -> None:
    """From Python 3.13 on, `create_default_context` refuses authorities that curl, Node and requests accept."""
    context = tls_context(Target(ca_file=files["ca"]), ssl.SSLContext)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
