"""Zip archives with the same bytes each time: entries in order, one date, one way of packing."""

from __future__ import annotations

import io
import re
import zipfile

DATE = (2000, 1, 1, 0, 0, 0)
FIRST = "[Content_Types].xml"


def repacked(content: bytes) -> bytes:
    """The archive with its entries sorted, the list of content types first, all of one date.

    Example:
        >>> made = io.BytesIO()
        >>> with zipfile.ZipFile(made, "w") as book:
        ...     book.writestr("b", "1")
        ...     book.writestr("a", "2")
        >>> with zipfile.ZipFile(io.BytesIO(repacked(made.getvalue()))) as book:
        ...     book.namelist()
        ['a', 'b']
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as found, zipfile.ZipFile(out, "w") as made:
        for name in sorted(found.namelist(), key=lambda n: (n != FIRST, n)):
            entry = zipfile.ZipInfo(name, DATE)
            packed = not name.endswith(".png")  # a picture is packed already
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            entry.external_attr, entry.create_system = 0o600 << 16, 3
            made.writestr(entry, _steady(name, found.read(name)))
    return out.getvalue()


def _steady(name: str, content: bytes) -> bytes:
    """An entry without times: the workbook behind a chart is an archive of its own."""
    if name.endswith(".xlsx"):
        return repacked(content)
    if name == "docProps/core.xml":
        return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2000-01-01T00:00:00Z", content)
    return content
