"""How many rows stand in each row group of a Parquet file: the last few bytes of it, read as Thrift writes them.

Polars reads the data; that a message can say which row group is damaged is all that this is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MAGIC: Final = b"PAR1"
GROUPS, ROWS = 4, 3
"""Field numbers of `FileMetaData.row_groups` and `RowGroup.num_rows`."""
STOP, TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12


@dataclass(slots=True)
class _Reader:
    """A place in bytes."""

    data: bytes
    at: int = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            one = self.byte()
            value |= (one & 0x7F) << shift
            if one < 0x80:
                return value
            shift += 7

    def zigzag(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind: int) -> Any:  # noqa: ANN401 - whatever stands in the file
        """A value of a Thrift compact type; what no one asks for is passed over."""
        if kind in {TRUE, FALSE}:
            return kind == TRUE
        if kind in {DOUBLE, BINARY}:
            size = 8 if kind == DOUBLE else self.varint()
            self.at += size
            return None
        if kind in {LIST, SET}:
            return self.several()
        return {BYTE: self.byte, STRUCT: self.struct}.get(kind, self.zigzag)()

    def several(self) -> list[Any]:
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        return [self.byte() if head & 15 in {TRUE, FALSE} else self.value(head & 15) for _ in range(count)]

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.zigzag()
            found[field] = self.value(head & 15)
        return found


def row_groups(path: Path) -> list[int]:
    """Rows of each row group; none where the end of the file does not say.

    Source:
        Apache Parquet, "File format" and parquet.thrift; Apache Thrift, "Thrift compact protocol encoding".

    Example:
        >>> import tempfile
        >>> import polars as pl
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.parquet"
        ...     pl.DataFrame({"q": range(10)}).write_parquet(path, row_group_size=4)
        ...     row_groups(path)
        [4, 4, 2]
    """
    try:
        with path.open("rb") as file:
            file.seek(-8, 2)
            end = file.read(8)
            if end[4:] != MAGIC:
                return []
            file.seek(-8 - int.from_bytes(end[:4], "little"), 2)
            return [group[ROWS] for group in _Reader(file.read()).struct()[GROUPS]]
    except (OSError, IndexError, KeyError, TypeError):
        return []
