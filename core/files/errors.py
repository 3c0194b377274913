"""What is told of a file that cannot be used."""

from __future__ import annotations


class FileError(ValueError):
    """A file cannot be used; the message names the file, the place in it and the mend."""
