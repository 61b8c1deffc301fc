"""The records of a batch: a line of JSON per cell in one file, written block by block.

OUT/records.jsonl holds a cell per line (the last line of a cell counts), OUT/runs.json what the lines share: the study,
hashes, settings and versions under the name that a line's `run` gives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from csi.errors import Problem, Problems, problem
from csi.reporting.numbers import plain

RECORDS: Final = "records.jsonl"
RUNS: Final = "runs.json"
NUMBERS: Final = ("formula", "n_effective", "index", "std_error", "conf_low", "conf_high")
"""What the table of all cells shows of the target."""

Record = Mapping[str, object]
Cell = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a cell's record stands in the file, and what it is of.

    Attributes:
        at, size: of the line in bytes. mark: run, data, weights_of. row: what the table of all cells shows of it.
    """

    at: int
    size: int
    mark: tuple[str, str, str]
    row: Mapping[str, object]


def mark_of(body: Record) -> tuple[str, str, str]:
    """What the numbers of a record come from."""
    return str(body.get("run")), str(body.get("data")), str(body.get("weights_of"))


def row_of(body: Record) -> dict[str, object]:
    """What the table of all cells shows of a record."""
    target = body.get("target")
    mine = next((r for r in rows_of(body, "index") if r["construct"] == target), {})
    told = body.get("reason")
    said = cast("Mapping[str, str]", told) if isinstance(told, Mapping) else {}
    numbers = {name: plain(mine.get(name)) for name in NUMBERS}
    return {"n": body["n"], **numbers, "status": body["status"], "reason": said.get("en"), "reason_zh": said.get("zh")}


def rows_of(body: Record, name: str) -> Sequence[Mapping[str, object]]:
    """A table of a record."""
    found = body.get(name)
    return cast("Sequence[Mapping[str, object]]", found) if isinstance(found, list) else ()


def lines(path: Path) -> Iterator[tuple[int, int, Record]]:
    """Offset, size and object of every whole line; one that was cut off, or is none of ours, is passed over."""
    if not path.exists():
        return
    at = 0
    with path.open("rb") as file:
        for line in file:
            body = _object(line)
            if body is not None:
                yield at, len(line), body
            at += len(line)


def _object(line: bytes) -> Record | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    good = isinstance(body, dict) and isinstance(body.get("cell"), dict) and "status" in body and "n" in body
    return cast("Record", body) if good else None


def kept_in(folder: Path) -> dict[Cell, Kept]:
    """The last record of every cell of a folder."""
    found = {}
    for at, size, body in lines(folder / RECORDS):
        cell = cast("Mapping[str, str | None]", body["cell"])
        found[tuple(cell.values())] = Kept(at, size, mark_of(body), row_of(body))
    return found


def added(folder: Path, bodies: Sequence[Record]) -> list[Kept]:
    """Where the records stand once they are written behind the others, safely on the disk.

    Raises:
        Problems: E-OUT.
    """
    try:
        with (folder / RECORDS).open("ab") as file:
            at = file.tell()
            if at and _torn(folder / RECORDS, at):
                at += file.write(b"\n")
            found = []
            for body in bodies:
                line = _line(body)
                found.append(Kept(at, len(line) + 1, mark_of(body), row_of(body)))
                at += file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Problems([_unwritten(folder / RECORDS, error)]) from error
    return found


def _line(body: Record) -> bytes:
    """A record as one line of JSON; numbers that are not finite become null."""
    try:
        said = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (ValueError, TypeError):
        said = json.dumps(plain(body), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return said.encode()


def _torn(path: Path, size: int) -> bool:
    """Whether the file ends within a line."""
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) != b"\n"


def ordered(folder: Path, cells: Sequence[Kept]) -> None:
    """Rewrite the file with these lines in this order, whole or not at all; nothing where it is so already.

    Raises:
        Problems: E-OUT.
    """
    path = folder / RECORDS
    ends = 0
    for one in cells:
        if one.at != ends:
            break
        ends += one.size
    else:
        if not path.exists() or path.stat().st_size == ends:
            return
    fresh = path.with_name(path.name + ".new")
    try:
        with path.open("rb") as old, fresh.open("wb") as new:
            for one in cells:
                old.seek(one.at)
                new.write(old.read(one.size).rstrip(b"\n") + b"\n")
        os.replace(fresh, path)  # noqa: PTH105 - atomic on every system
    except OSError as error:
        raise Problems([_unwritten(path, error)]) from error


def said_of_runs(folder: Path) -> dict[str, Record]:
    """What the runs behind a folder's records share, by name; nothing where there is none or it is damaged."""
    try:
        found = json.loads((folder / RUNS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Record]", found) if isinstance(found, dict) else {}


def say_runs(folder: Path, runs: Mapping[str, Record]) -> None:
    """Write `runs.json`.

    Raises:
        Problems: E-OUT.
    """
    path = folder / RUNS
    fresh = path.with_name(path.name + ".new")
    try:
        text = json.dumps(plain(runs), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        fresh.write_text(text + "\n", encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - atomic on every system
    except OSError as error:
        raise Problems([_unwritten(path, error)]) from error


def _unwritten(path: Path, error: OSError) -> Problem:
    en, zh = f"cannot write: {error.strerror}.", f"无法写入：{error.strerror}。"
    do, do_zh = "Choose another folder with --out, or make room.", "请用 --out 指定其他文件夹，或腾出空间。"
    return problem("E-OUT", str(path), en, zh, do, do_zh)
