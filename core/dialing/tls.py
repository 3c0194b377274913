"""TLS as the published clients have it: whom to trust, who we are, and in words what failed."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError

_ASKS_FOR_US = ("CERTIFICATE_REQUIRED", "ALERT_CERTIFICATE_REQUIRED")
_REFUSES_US = ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED")
_PERHAPS_ASKS = ("ALERT_HANDSHAKE_FAILURE",)


def tls_context(target: Target, made: Callable[[int], Any]) -> Any:
    """The context for connections to a target; `made` is `ssl.SSLContext` or one of its kind. Raises TargetError.

    Not `ssl.create_default_context`, which from Python 3.13 on refuses authorities that curl, Node, browsers and
    requests accept (VERIFY_X509_STRICT).
    """
    return _context(target.ca_file, target.verify_tls, target.client_cert, target.client_key, made)


@functools.lru_cache(maxsize=8)  # to read the authorities of a system takes longer than an exchange
def _context(
    ca_file: Path | None, verify: bool, cert: Path | None, key: Path | None, made: Callable[[int], Any]
) -> Any:
    context = made(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=str(ca_file))
    except OSError as error:
        raise TargetError(f"{ca_file} holds no certificate of an authority in PEM") from error
    if cert is not None:
        _present(context, cert, key)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _present(context: Any, cert: Path, key: Path | None) -> None:
    def ask() -> NoReturn:  # OpenSSL would ask at the terminal
        raise TargetError(f"the key in {key or cert} is encrypted; give it without a passphrase")

    try:
        context.load_cert_chain(str(cert), None if key is None else str(key), ask)
    except ssl.SSLError as error:
        mismatch = "KEY_VALUES_MISMATCH" in str(error)
        told = "it is not the key of this certificate" if mismatch else "give a certificate and its key in PEM"
        raise TargetError(
            f"the client's certificate {cert} with the key {key or cert} cannot be used: {told}"
        ) from error
    except OSError as error:
        raise TargetError(f"the client's certificate {cert}: {error.strerror or error}") from error


def tls_fault(error: ssl.SSLError, *, presented: bool) -> str:
    """In words for the server's owner, what failed; `presented` tells whether we have a certificate to show."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); give --ca-file, or --insecure to look away"
    reason = error.reason or str(error)
    if any(sign in reason for sign in _ASKS_FOR_US):
        return "it asks for a client's certificate; give --cert and --key"
    if presented and any(sign in reason for sign in (*_REFUSES_US, *_PERHAPS_ASKS)):
        return f"it refuses the client's certificate that was given ({reason})"
    if any(sign in reason for sign in _PERHAPS_ASKS):
        return f"it ends the TLS handshake ({reason}); it may ask for a client's certificate: --cert and --key"
    return f"it does not speak TLS as expected ({reason})"
