"""Buffers of an Arrow file that say they are larger than the file, or than they can unpack to, found before reading.

The metadata say how long each buffer is, and a compressed one begins with the size of what it unpacks to. Where a
damaged byte makes such a size absurd, a reader asks for so much memory that the process ends.

Source: Apache Arrow columnar format, "Serialization and interprocess communication", Message.fbs and File.fbs;
FlatBuffers, "Internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAGIC: Final = b"ARROW1"
DICTIONARY, BATCH = 2, 3
"""Kinds of messages that have buffers."""
RATIO, BLOCK = 1 << 15, 1 << 17
"""What zstd can make of a byte at most (a block of 2^17 equal bytes from 4), and one block; LZ4 makes 255 of one."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of FlatBuffers: where it stands among the bytes."""

    data: bytes
    at: int

    def place(self, field: int) -> int:
        """Where a field stands; 0 where it has its default."""
        (back,) = struct.unpack_from("<i", self.data, self.at)
        size, slot = struct.unpack_from("<H", self.data, self.at - back)[0], 4 + 2 * field
        (offset,) = struct.unpack_from("<H", self.data, self.at - back + slot) if slot < size else (0,)
        return self.at + int(offset) if offset else 0

    def number(self, field: int, kind: str) -> int:
        at = self.place(field)
        return int(struct.unpack_from(kind, self.data, at)[0]) if at else 0

    def to(self, field: int) -> int:
        """What a field points to; 0 where it is not there."""
        at = self.place(field)
        return at + int(struct.unpack_from("<I", self.data, at)[0]) if at else 0

    def several(self, field: int, kind: str) -> Iterator[tuple[int, ...]]:
        """The structs of a vector."""
        at = self.to(field)
        if at:
            (count,) = struct.unpack_from("<I", self.data, at)
            for k in range(min(count, len(self.data))):
                yield struct.unpack_from(kind, self.data, at + 4 + k * struct.calcsize(kind))


def swollen(content: bytes) -> bool:
    r"""Whether a buffer of an Arrow file or stream says it is longer than the rest of it, or than it can unpack to.

    Example:
        >>> import io
        >>> import polars as pl
        >>> file = io.BytesIO()
        >>> pl.DataFrame({"q": [1] * 5000}).write_ipc(file, compression="zstd")
        >>> size = struct.pack("<q", 40_000)
        >>> whole = file.getvalue()
        >>> swollen(whole), swollen(whole.replace(size, struct.pack("<q", 1 << 60)))
        (False, True)
    """
    return any(_impossible(content, at, body) for at, body in _messages(content))


def _messages(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the metadata of each message begin and where its body does."""
    try:
        yield from _of_file(content) if content.startswith(MAGIC) else _of_stream(content)
    except (struct.error, IndexError):  # cut off or damaged: the reader says so
        return


def _of_file(content: bytes) -> Iterator[tuple[int, int]]:
    tail = len(content) - len(MAGIC) - 4
    (length,) = struct.unpack_from("<i", content, tail)
    start = tail - int(length)
    footer = _Table(content, start + struct.unpack_from("<I", content, start)[0])
    for field in (2, 3):
        for offset, size, _ in footer.several(field, "<qi4xq"):
            if 0 <= offset <= len(content):
                yield _metadata(content, offset), offset + size


def _of_stream(content: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(content):
        first = _metadata(content, at)
        (length,) = struct.unpack_from("<i", content, first - 4)
        if length <= 0:
            return
        yield first, first + length
        message = _Table(content, first + struct.unpack_from("<I", content, first)[0])
        at = first + length + max(0, message.number(3, "<q"))


def _metadata(content: bytes, at: int) -> int:
    """Where the metadata of a message begin: behind its length, and before that a mark since version 0.15."""
    return at + (8 if content[at : at + 4] == b"\xff\xff\xff\xff" else 4)


def _impossible(content: bytes, at: int, body: int) -> bool:
    try:
        message = _Table(content, at + struct.unpack_from("<I", content, at)[0])
        kind, header = message.number(1, "<B"), message.to(2)
        if kind == DICTIONARY:
            header = _Table(content, header).to(1)
        if kind not in {DICTIONARY, BATCH} or not header:
            return False
        batch, rest = _Table(content, header), len(content) - body
        packed = batch.place(3) > 0
        return not 0 <= message.number(3, "<q") <= rest or any(
            offset < 0 or length < 0 or offset + length > rest or (packed and _large(content, body + offset, length))
            for offset, length in batch.several(2, "<qq")
        )
    except (struct.error, IndexError):  # the reader says what is damaged
        return False


def _large(content: bytes, at: int, length: int) -> bool:
    """Whether a compressed buffer says it unpacks to more than its bytes can; -1 says it is not compressed."""
    if length < 8:
        return False
    (said,) = struct.unpack_from("<q", content, at)
    return not -1 <= int(said) <= RATIO * (length - 8) + BLOCK
