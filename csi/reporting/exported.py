"""The tables of any result as frames, as LaTeX and as a workbook: what `.to_polars()` and its like give."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from csi.errors import Note, Problems, Text, did_you_mean, problem
from csi.estimate.estimate import Estimate
from csi.estimate.shown import least_of
from csi.reporting.pictured_answers import pictures
from csi.reporting.renderers.outline import Printed, printed_table
from csi.reporting.renderers.tex import tabular
from csi.reporting.section import Column, Report, Section, Table
from csi.reporting.sheets import check_kind, kind_of, write_tables
from csi.reporting.svg import on_paper
from csi.reporting.write import written
from csi.reporting.xlsx import workbook


def frames(value: object) -> dict[str, pl.DataFrame]:
    """The tables of a result by name: `table` first, then its other frames; of a report those of each section.

    A result without any is one row of its numbers and words.

    Example:
        >>> import csi
        >>> list(frames(csi.power_icc(2, icc=0.8, power=0.8)))
        ['table']
    """
    if isinstance(value, Report):
        return {f"{s.key}_{name}": frame for s in value.sections for name, frame in frames(s).items()}
    if isinstance(value, Section):
        printed = {t.name: t.frame for t in value.tables}
        return printed | {k: f for k, f in value.data.items() if f.width and k not in printed}
    found: dict[str, pl.DataFrame] = {}
    main = getattr(value, "table", None)
    if isinstance(main, pl.DataFrame):
        found["table"] = main
    for field in dataclasses.fields(value) if dataclasses.is_dataclass(value) else ():
        part = getattr(value, field.name)
        more = part if isinstance(part, Mapping) else {field.name: part}
        for name, frame in more.items():
            if isinstance(frame, pl.DataFrame) and not any(frame is f for f in found.values()):
                found.setdefault(str(name), frame)
    return found or _single(value)


def to_polars(value: object, name: str = "") -> pl.DataFrame:
    """One table of a result; the first where none is named.

    Raises:
        Problems: E-TABLE-NAME.
    """
    return frames(value)[_named(value, name)]


def to_pandas(value: object, name: str = "") -> Any:  # noqa: ANN401 - pandas is loaded by those who ask for it
    """The same as a pandas frame: absent numbers are NaN, absent words None.

    Raises:
        Problems: E-TABLE-NAME.
    """
    frame = to_polars(value, name)
    numeric = {c for c, t in frame.schema.items() if t.is_numeric() and not t.is_integer()}
    columns = {
        c: frame[c].to_numpy() if c in numeric or (frame[c].dtype.is_integer() and not frame[c].null_count())
        else frame[c].to_list()
        for c in frame.columns
    }  # fmt: skip
    return import_module("pandas").DataFrame(columns, columns=frame.columns)


def to_latex(value: object, name: str = "", lang: str = "en") -> str:
    """One table of a result as LaTeX (booktabs), escaped, with its notes; numbers as reports print them.

    Raises:
        Problems: E-TABLE-NAME.
    """
    return tabular(
        _printed(value, _named(value, name), lang),
        "zh" if lang == "zh" else "en",
        label=f"tab:{type(value).__name__.lower()}-{name}",
    )


def to_svg(value: object, name: str = "", lang: str = "en") -> str:
    """One picture of a result as SVG; the first where none is named. Of a section or report those of its figures.

    Raises:
        Problems: E-PICTURE.
    """
    sections = value.sections if isinstance(value, Report) else (value,) if isinstance(value, Section) else ()
    drawn = [f for s in sections for f in s.figures] or list(pictures(value))
    found = next((f for f in drawn if name in ("", f.name)), None)
    if found is None:
        known = ", ".join(f.name for f in drawn)
        what = type(value).__name__
        if not drawn:
            raise Problems([problem("E-PICTURE", "name", f"{what} has no picture.", f"{what} 没有图。")])
        en, zh = f'there is no picture "{name}".', f"没有名为“{name}”的图。"
        raise Problems([problem("E-PICTURE", "name", en, zh, f"Known: {known}.", f"可用：{known}。")])
    return on_paper(found.draw(lang))


def to_excel(value: object, path: str | Path, lang: str = "en") -> Path:
    """Every table of a result in a workbook, a sheet each, at full precision; returns the file.

    Raises:
        Problems: E-OUT.
    """
    place = Path(path)
    if place.suffix.lower() != ".xlsx":
        check_kind(place)
        place = place.with_suffix(place.suffix + ".xlsx")
    if isinstance(value, Report):
        written(place.parent, {place.name: workbook(value, (lang,))})
        return place
    title = value.title if isinstance(value, Section) else Text(type(value).__name__, type(value).__name__)
    flat = {n: (Text(n, n), f.select(pl.exclude(pl.List, pl.Struct, pl.Object))) for n, f in frames(value).items()}
    return write_tables(place, title, flat, {}, ("zh" if lang == "zh" else "en",))[0]


def _printed(value: object, name: str, lang: str) -> Printed:
    """A table as printed: of a section as its report prints it, of others every column by the kind of its values."""
    sections = value.sections if isinstance(value, Report) else (value,) if isinstance(value, Section) else ()
    for section in sections:
        lead = f"{section.key}_" if isinstance(value, Report) else ""
        for table in section.tables:
            if lead + table.name == name:
                return printed_table(table, "zh" if lang == "zh" else "en", 1)
    frame = frames(value)[name].select(pl.exclude(pl.List, pl.Struct, pl.Object))
    frame = frame.with_columns(pl.col(pl.Boolean).cast(pl.String))
    columns = tuple(Column(c, Text(c, c), _kind(c, t), *_floor(value, c, frame)) for c, t in frame.schema.items())
    notes = tuple(n for n in getattr(value, "notes", ()) if isinstance(n, Note))
    title = Text(type(value).__name__, type(value).__name__)
    return printed_table(Table(name, title, frame, columns, notes=notes), "zh" if lang == "zh" else "en", 1)


BY_DRAWS = (
    "Comparable", "Differences", "Effects", "ExactFit", "KeyDrivers", "Mediation", "Micom", "Nca", "SimpleSlopes",
    "StageSlopes",
)  # fmt: skip
"""Results whose p-values are shares of draws, of which they tell the least (`least`)."""
PARAMETRIC = ("p_henseler", "p_parametric", "p_welch", "p_equivalence")
ADJUSTED = ("p_holm", "p_bh", "p_adjusted")
PLAIN = ("p_permutation", "p_spread", "p_value", "p_plain")


def _floor(value: object, name: str, frame: pl.DataFrame) -> tuple[float, str]:
    """The least p-value that the draws behind a column can give, and the column of the plain ones."""
    least = least_of(value) if isinstance(value, Estimate) else 0.0
    least = float(getattr(value, "least", 0.0)) if type(value).__name__ in BY_DRAWS else least
    if name in PARAMETRIC:
        return 0.0, ""
    if name in ADJUSTED:
        return least, next((c for c in PLAIN if c in frame.columns), "")
    plain = name.removesuffix("_holm")
    return least, plain if plain != name and plain in frame.columns else ""


def _kind(name: str, dtype: pl.DataType) -> Any:  # noqa: ANN401 - one of the kinds of a column
    """How a column is printed: p-values as such, whole numbers whole, others with three decimals."""
    if dtype.is_float() and (name == "p" or name.startswith("p_")):
        return "p"
    return "estimate" if dtype.is_float() else kind_of(name, dtype)


def _named(value: object, name: str) -> str:
    """The name of the table asked for."""
    known = list(frames(value))
    if not known:
        en, zh = f"{type(value).__name__} has no table.", f"{type(value).__name__} 没有表格。"
        raise Problems([problem("E-TABLE-NAME", "name", en, zh)])
    if name and name not in known:
        hint = did_you_mean(name, known)
        en, zh = f'there is no table "{name}".', f"没有名为“{name}”的表格。"
        raise Problems([problem("E-TABLE-NAME", "name", en, zh, hint.en, hint.zh)])
    return name or known[0]


def _single(value: object) -> dict[str, pl.DataFrame]:
    """A result of single numbers and words as one row."""
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    row = {f.name: v for f in fields if isinstance(v := getattr(value, f.name), bool | int | float | str)}
    return {type(value).__name__.lower(): pl.DataFrame([row])} if row else {}
