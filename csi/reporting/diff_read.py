"""A record as flat facts that two runs can be laid side by side by: data, settings, numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from csi.errors import Problem, Problems, problem
from csi.reporting.batch_records import RECORDS, lines, rows_of, said_of_runs
from csi.reporting.diff_flat import flat, settled
from csi.tracking.index import Index

KEYS: Final = ("brand", "wave", "stage", "segment", "construct", "item", "against", "reference", "node")
"""Columns that say which number it is."""

PLACES: Final = frozenset(["brand", "wave", "stage", "segment", "node"])
"""Those of them that say which answers it is of."""

POINTS: Final = 0.05
"""Half of the last digit that an index is printed with."""

UNITS: Final[Mapping[str, float]] = {
    "index": POINTS,
    "conf_low": POINTS,
    "conf_high": POINTS,
    "std_error": 0.005,
    "change": POINTS,
    "rank": 0.5,
    "rank_low": 0.5,
    "rank_high": 0.5,
    "significant": 0.5,
}
"""Quantity -> half of the last digit it is printed with; a smaller difference is one of rounding."""

WEIGHT: Final = {"weight": 0.0005}

VALIDATED: Final = {
    **dict.fromkeys(("omega", "alpha", "item_rest", "loading", "htmt"), 0.005),
    **dict.fromkeys(("cfi", "rmsea", "srmr"), 0.0005),
}
"""Numbers of a questionnaire's validation."""

_UNITS: Final = {"weights": WEIGHT, "validated": VALIDATED}

ALIASES: Final = {
    f"{name}_{against}": (name, against) for name in ("change", "significant") for against in ("previous", "year")
}
"""Columns of a tracking table -> quantity and what it is against, as in the table of changes."""

_NOT_SETTINGS: Final = frozenset(
    [
        "notes",
        "hashes",
        "versions",
        "answers",
        "rows",
        "effects",
        "replicates",
        "verb",
        "key",
        "status",
        "reason",
        "n",
        "batches",
    ]
)

Cell = tuple[str, ...]
"""Values of KEYS, "" where a number has none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One run: the values of `data`, `settings` and `versions` by name, `numbers` by quantity and cell.

    Attributes:
        units: quantity -> half of its last printed digit. n: cell -> answers. place: how the run is named.
        kind: what the record holds; records of one verb hold the same. marks: cell -> marks of its answers, and of
            answers with design weights. verb: which wrote it, "" where the record does not say. sets: what the gate of
            comparability found, a row per set of cells; None where it was not run. leaves: parent in a tree -> the
            leaves below it, whose cells have their own rows.
    """

    place: str
    data: Mapping[str, object]
    settings: Mapping[str, object]
    versions: Mapping[str, object]
    n: Mapping[Cell, int]
    numbers: Mapping[tuple[str, Cell], float]
    units: Mapping[str, float] = field(default_factory=dict)
    kind: frozenset[str] = frozenset()
    marks: Mapping[Cell, tuple[str, str]] = field(default_factory=dict)
    verb: str = ""
    sets: tuple[Mapping[str, object], ...] | None = None
    leaves: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def facts_of(source: str | Path | Mapping[str, object] | Index, place: str) -> Facts:
    """The facts of a record: its file, the folder of a report, a mapping, or an index as it stands in memory.

    Raises:
        Problems: E-RECORD, E-FILE.

    Example:
        >>> facts_of({"seed": 1, "index": [{"construct": "joy", "index": 71.5, "n": 90}]}, "a").settings
        {'seed': 1}
    """
    if isinstance(source, Index):
        body: Mapping[str, object] = _of_index(source)
    elif isinstance(source, Mapping):
        body = source
    elif isinstance(source, str | Path):
        place, body = str(source), _read(Path(source))
    else:
        raise Problems([_unusable(place)])
    found = _facts(body, place)
    if not (found.data or found.numbers or found.n):
        raise Problems([_unusable(place)])
    return found


def _of_index(made: Index) -> dict[str, object]:
    """What a record says of an index."""
    said = {"rule": made.rule, "base": made.base, "scheme": made.scheme, "level": made.level, "seed": made.seed}
    return {**said, "index": made.measured.to_dicts(), "weights": made.weights.to_dicts()}


def _read(path: Path) -> Mapping[str, object]:
    """The object of a record's file; a report's folder has its numbers in a file of their own."""
    if path.name == RECORDS or (path.is_dir() and (path / RECORDS).is_file()):
        return _of_batch(path if path.is_dir() else path.parent)
    folder = path if path.is_dir() else path.parent
    file = path / "record.json" if path.is_dir() else path
    body = _object(file)
    numbers = folder / "numbers.json"
    if file.name == "record.json" and "index" in body and numbers.exists():
        return {**body, "sections": _object(numbers).get("sections")}
    return body


def _of_batch(folder: Path) -> dict[str, object]:
    """The records of a batch as one record; what they share is that of the latest run."""
    index: list[dict[str, object]] = []
    weights: dict[str, dict[str, object]] = {}
    cells = []
    run = ""
    for _, _, body in lines(folder / RECORDS):
        cell, run = cast("dict[str, object]", body["cell"]), str(body["run"])
        index += [{**cell, **row} for row in rows_of(body, "index")]
        own = cell if body.get("rule") == "own" else {}
        for row in rows_of(body, "weights"):
            weights.setdefault(json.dumps([own, row], sort_keys=True, default=str), {**own, **row})
        marks = {k: body[k] for k in ("answers", "weighted") if body.get(k)}
        cells.append({**cell, "rows": body["n"], "n": body["n"], **marks})
    runs = said_of_runs(folder)
    shared = dict(runs.get(run, {}))
    return {**shared, "index": index, "weights": list(weights.values()), "cells": cells}


def _object(path: Path) -> dict[str, object]:
    """The JSON object of a file.

    Raises:
        Problems: E-FILE, E-RECORD.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        do, do_zh = "Check the path; --record PATH writes one.", "请检查路径；可用 --record PATH 写出记录。"
        raise Problems([problem("E-FILE", str(path), "no such file.", "文件不存在。", do, do_zh)]) from None
    except OSError as error:
        en, zh = f"the file cannot be read: {error.strerror}.", f"文件无法读取：{error.strerror}。"
        raise Problems([problem("E-FILE", str(path), en, zh, "Check the path.", "请检查路径。")]) from error
    except ValueError:
        raise Problems([_unusable(str(path))]) from None
    if not isinstance(body, dict):
        raise Problems([_unusable(str(path))])
    return cast("dict[str, object]", body)


def _unusable(place: str) -> Problem:
    """What is no record."""
    en, zh = "this is no record of a run.", "这不是一次运行的记录。"
    do = "Give what csi index, track or league wrote with --record, or the folder of a report."
    do_zh = "请给出 csi index、track 或 league 用 --record 写出的文件，或报告所在的文件夹。"
    return problem("E-RECORD", place, en, zh, do, do_zh)


def _facts(body: Mapping[str, object], place: str) -> Facts:
    """Every fact of a record's object."""
    n: dict[Cell, int] = {}
    numbers: dict[tuple[str, Cell], float] = {}
    settings: dict[str, object] = {}
    leaves = _leaves(body)
    for name, rows in _tables(body):
        units = _UNITS.get(name, UNITS)
        for row in rows:
            if name == "tree" and _cell_of_leaf(row) in n and str(row.get("node")) not in leaves:
                continue  # the leaf is the cell, which has its own row
            _take(row, units, n, numbers)
            if name == "index" and row.get("formula"):
                settings[f"formula.{row.get('construct', '')}"] = row["formula"]
    hashes = flat({"data": body.get("hashes")})
    data = {k.removeprefix("data."): v for k, v in hashes.items() if v is not None}
    if isinstance(body.get("rows"), int):
        data["rows"] = body["rows"]
    study = body.get("study")
    if isinstance(study, Mapping) and study.get("sha256"):
        data["study"] = study["sha256"]
    named = study.get("name") if isinstance(study, Mapping) else study
    rest = {k: v for k, v in body.items() if k not in {*_NOT_SETTINGS, "study", "sections"} and not _is_table(v)}
    said = {"study": named} if isinstance(named, str) else {}
    settings |= {k.removeprefix("settings."): v for k, v in settled({**said, **rest}).items()}
    versions = flat({"": body.get("versions")}) if isinstance(body.get("versions"), Mapping) else {}
    versions = {k.removeprefix("."): v for k, v in versions.items()}
    return Facts(
        place,
        data,
        settings,
        versions,
        n,
        numbers,
        {**UNITS, **WEIGHT, **VALIDATED},
        frozenset(body),
        _marks(body),
        str(body.get("verb") or ("tree" if _is_table(body.get("tree")) else "")),
        _sets(body),
        leaves,
    )


def _leaves(body: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Parent of a tree -> the leaves below it, however deep."""
    rows = body.get("tree")
    if not _is_table(rows):
        return {}
    below: dict[str, dict[str, None]] = {}
    for row in cast("Sequence[Mapping[str, object]]", rows):
        if row.get("parent"):
            below.setdefault(str(row["parent"]), {})[str(row["node"])] = None

    def under(node: str) -> Iterator[str]:
        for child in below.get(node, {}):
            yield from under(child) if child in below else (child,)

    return {node: tuple(dict.fromkeys(under(node))) for node in below}


def _cell_of_leaf(row: Mapping[str, object]) -> Cell:
    """The cell of answers that a leaf of a tree is."""
    own = {"brand": row.get("node"), "wave": row.get("wave")}
    return tuple(str(own.get(k) or "") for k in KEYS)


def _sets(body: Mapping[str, object]) -> tuple[Mapping[str, object], ...] | None:
    """What the gate found, of a record or of a report's section."""
    rows = body.get("comparability")
    if _is_table(rows):
        return tuple(cast("Sequence[Mapping[str, object]]", rows))
    return tuple(_rows_of(body, "comparability", "comparability")) or None


def _marks(body: Mapping[str, object]) -> dict[Cell, tuple[str, str]]:
    """Marks of the answers of every cell that a record has them of."""
    rows = body.get("cells")
    if not _is_table(rows):
        return {}
    found = {}
    for row in cast("Sequence[Mapping[str, object]]", rows):
        cell = tuple(str(row.get(k) or "") if k in PLACES else "" for k in KEYS)
        if "answers" in row:
            found[cell] = str(row["answers"]), str(row.get("weighted"))
    return found


def _tables(body: Mapping[str, object]) -> Iterator[tuple[str, Sequence[Mapping[str, object]]]]:
    """Names and rows of the tables with numbers of a record; of a report its trend, its league and its chain."""
    for name in ("index", "weights", "tracking", "changes", "rates", "ranks", "cell", "tree", "validated"):
        rows = body.get(name)
        if _is_table(rows):
            yield name, cast("Sequence[Mapping[str, object]]", rows)
    for section, frame, cell in _told(body):
        rows = _rows_of(body, section, frame)
        if rows:
            yield (
                frame,
                [{**cell, **{_CHAIN.get(k, k) if frame == "chain" else k: v for k, v in row.items()}} for row in rows],
            )


_CHAIN: Final = {"change": "change_previous", "significant": "significant_previous"}
"""Columns of a report's chain by the names of a tracking table."""


def _told(body: Mapping[str, object]) -> tuple[tuple[str, str, Mapping[str, object]], ...]:
    """Section and frame of a report with the keys that hold for all of its rows."""
    settings = body.get("settings")
    wave = {"wave": body.get("wave")}
    target = {"construct": settings.get("target", "") if isinstance(settings, Mapping) else "", **wave}
    focal = {"brand": body.get("focal"), **wave}
    return (("trend", "index", {}), ("league", "ranks", target), ("chain", "chain", focal), ("rates", "rates", {}))


def _rows_of(body: Mapping[str, object], section: str, frame: str) -> list[dict[str, object]]:
    """Rows of a frame of a report's section."""
    sections = body.get("sections")
    if not isinstance(sections, Mapping):
        return []
    data = cast("Mapping[str, Mapping[str, Mapping[str, Mapping[str, Sequence[object]]]]]", sections)
    found = data.get(section, {}).get("data", {}).get(frame)
    if not found:
        return []
    columns = [str(c) for c in found["columns"]]
    return [dict(zip(columns, cast("Sequence[object]", row), strict=True)) for row in found["rows"]]


def _is_table(value: object) -> bool:
    """Whether a value is a list of rows."""
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)


def _take(
    row: Mapping[str, object],
    units: Mapping[str, float],
    n: dict[Cell, int],
    numbers: dict[tuple[str, Cell], float],
) -> None:
    """Add the numbers of a row; a number that an earlier table gave stays."""
    cell = tuple(str(row.get(k) or "") for k in KEYS)
    where = tuple(v if k in PLACES else "" for k, v in zip(KEYS, cell, strict=True))
    if isinstance(row.get("n"), int) and units is not WEIGHT:
        n.setdefault(where, int(cast("int", row["n"])))
    for name, value in row.items():
        quantity, against = ALIASES.get(name, (name, ""))
        if quantity in units and isinstance(value, int | float):
            # a change is named by what it is against; the wave it is compared with follows from that
            at = tuple((v or against) if k == "against" else "" if k == "reference" else v for k, v in _named(cell))
            numbers.setdefault((quantity, at), float(value))


def _named(cell: Cell) -> Iterator[tuple[str, str]]:
    """Keys with their values."""
    return zip(KEYS, cell, strict=True)
