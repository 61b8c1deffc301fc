"""`csi init EXPORT --events FILE ...`: tables of events beside the answers, as entries of the new study file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from csi.errors import Language, Problem, Problems, Text, problem
from csi.simulation.texts import flow
from csi.survey.crm import mapping, recognise
from csi.survey.datafile import DataFile
from csi.survey.event_kinds import KINDS, EventKind
from csi.survey.readers import read_table


@dataclass(frozen=True, slots=True)
class Table:
    """A file of events.

    Attributes:
        path: the file. kind: of events. columns: the kind's column -> the file's; none where they bear the same names.
        what: what it was recognised as, with the headers that told it. also: other kinds it can be read as.
    """

    path: Path
    kind: str
    columns: dict[str, str]
    what: Text
    also: tuple[str, ...] = ()


def tables_of(files: Sequence[Path], lang: Language) -> list[Table]:
    """What every file holds.

    Raises:
        Problems: E-EVENT for files that hold no events that csi knows by their header; all at once.
    """
    found: list[Table] = []
    problems: list[Problem] = []
    for path in files:
        try:
            header = read_table(DataFile(path, place=str(path))).frame.columns
        except Problems as error:
            problems += error.problems
            continue
        table = table_of(path, header)
        if table is None:
            problems.append(_unknown(path, header))
        else:
            found.append(table)
    if problems:
        raise Problems(problems, lang)
    return found


def table_of(path: Path, header: Sequence[str]) -> Table | None:
    """What a file holds, by its header: an export of a customer system, or a kind's own columns.

    Example:
        >>> table = table_of(Path("deals.csv"), ["Record ID", "Deal Name", "Deal Stage", "Close Date", "Amount"])
        >>> table.kind, table.columns
        ('purchases', {'date': 'Close Date', 'amount': 'Amount'})
        >>> table_of(Path("a.csv"), ["id", "touchpoint", "score"]).kind
        'contacts'
    """
    crm = recognise(header)
    if crm is not None:
        kind, columns = next(iter(crm.what.kinds.items()))
        marks = ", ".join(crm.why)
        what = Text(f"{crm.label.en} (header: {marks})", f"{crm.label.zh}（表头：{marks}）")
        return Table(path, kind, mapping(header, columns), what, tuple(crm.what.kinds)[1:])
    fits = [name for name, kind in KINDS.items() if _holds(kind, header)]
    if not fits:
        return None
    best = max(fits, key=lambda name: len(set(KINDS[name].columns) & set(header)))
    return Table(path, best, {}, KINDS[best].label)


def entries(tables: Sequence[Table], folder: Path, lang: Language) -> Iterator[str]:
    """The lines of the study file: one entry per kind; what cannot be an entry of its own as comments."""
    if not tables:
        return
    yield "tables:"
    taken: set[str] = set()
    for table in tables:
        again = table.kind in taken
        taken.add(table.kind)
        said = {"file": beside(table.path, folder), **({"columns": table.columns} if table.columns else {})}
        mark = "  # " if again else "  "
        yield f"  # {table.what.say(lang)}"
        yield f"{mark}{table.kind}: {flow(said)}"
        missing = [c for c in KINDS[table.kind].needed if table.columns and c not in table.columns]
        if missing and not again:
            yield "  # " + Text(
                f"no column was recognised for {', '.join(missing)}: name it under columns",
                f"未识别到 {', '.join(missing)} 列：请在 columns 中写明",
            ).say(lang)
        if table.also and not again:
            others = ", ".join(table.also)
            yield "  # " + Text(f"the same file can be read as {others}, too", f"同一文件也可作为 {others} 读取").say(
                lang
            )
        if again:
            yield "  # " + Text("a second file of this kind: join them first", "同类文件已有一个：请先合并").say(lang)


def told(tables: Sequence[Table], lang: Language) -> Iterator[str]:
    """What was recognised, on the screen."""
    for table in tables:
        pairs = ", ".join(f"{ours} = {theirs}" for ours, theirs in table.columns.items()) or "–"
        yield Text(
            f"{table.path.name}: {table.what.en}, as {table.kind}: {pairs}.",
            f"{table.path.name}：{table.what.zh}，作为 {table.kind}：{pairs}。",
        ).say(lang)


def beside(export: Path, folder: Path) -> str:
    """A file's place as seen from the study file, so that both can be moved together."""
    try:
        return Path(os.path.relpath(export.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return export.resolve().as_posix()


def _holds(kind: EventKind, header: Sequence[str]) -> bool:
    """Whether a header has the columns of a kind, beyond an id."""
    needed = set(kind.needed) <= set(header)
    either = not kind.either or any(set(one) <= set(header) for one in kind.either)
    more = len(kind.needed) > 1 or bool((set(kind.optional) - {"brand", "wave", "date"}) & set(header))
    return needed and either and more


def _unknown(path: Path, header: Sequence[str]) -> Problem:
    some = ", ".join(list(header)[:8])
    return problem(
        "E-EVENT",
        str(path),
        f"{path.name} is no table of events that csi knows (its header: {some}).",
        f"无法识别 {path.name} 属于哪种事件表（表头：{some}）。",
        f"Write it under `tables:` yourself, with `columns:`; kinds are {', '.join(KINDS)}.",
        f"请在 tables: 下自行写明类型与 columns:；类型有 {', '.join(KINDS)}。",
    )
