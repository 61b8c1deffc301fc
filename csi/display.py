"""How an object shows itself: one dispatch for text, one for HTML, and a table printer. Nothing here calls upward.

Rooms register how their values read with `@text.register`; `csi.reporting` registers `@html.register` in a module whose
*name* is left here by `html_from`, and which is imported when the first HTML is asked for.

Reporting is the only place that rounds numbers for readers. What `text` prints is for the eye at a prompt: numbers
stand with four significant digits there unless the caller gives a `number` format, and values keep full precision.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeVar

Number = Callable[[float], str]
"""Prints a number."""

T = TypeVar("T")
_HTML_MODULES: list[str] = []
_DOCTORS: list[str] = []
_TABLES: list[str] = []


class Frame(Protocol):
    """What the table printer needs of a frame (a polars DataFrame has it)."""

    @property
    def columns(self) -> list[str]:
        """Column names."""

    def iter_rows(self) -> Iterable[tuple[Any, ...]]:
        """Rows, top to bottom."""


class Shown:
    """A base for values that show themselves: `repr` through `text`, notebooks through `html`.

    A frozen, slotted dataclass inherits it with `repr=False`.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass(frozen=True, slots=True, repr=False)
        ... class Point(Shown):
        ...     x: float
        ...     y: float
        >>> Point(1.0, 2 / 3)
        Point(x=1, y=0.6667)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return text(self)

    def _repr_html_(self) -> str | None:
        """HTML for a notebook; None (the notebook then prints the text) when nobody registered any."""
        return html(self)

    def to_polars(self, name: str = "") -> Any:  # noqa: ANN401 - frames are loaded by those who ask for them
        """One table of the result as a polars frame at full precision; the first where none is named.

        Raises:
            Problems: E-TABLE-NAME.
        """
        return _tables().to_polars(self, name)

    def to_pandas(self, name: str = "") -> Any:  # noqa: ANN401 - same
        """The same as a pandas frame.

        Raises:
            Problems: E-TABLE-NAME.
        """
        return _tables().to_pandas(self, name)

    def to_latex(self, name: str = "", lang: str = "en") -> str:
        """One table of the result as LaTeX (booktabs), escaped, its numbers as reports print them.

        Raises:
            Problems: E-TABLE-NAME.
        """
        made: str = _tables().to_latex(self, name, lang)
        return made

    def to_svg(self, name: str = "", lang: str = "en") -> str:
        """One picture of the result as SVG; the first where none is named. An estimate has "paths" and "full".

        Raises:
            Problems: E-PICTURE.
        """
        drawn: str = _tables().to_svg(self, name, lang)
        return drawn

    def to_excel(self, path: str | Path, lang: str = "en") -> Path:
        """Every table of the result as sheets of an .xlsx file at full precision; returns the file.

        Raises:
            Problems: E-OUT.
        """
        made: Path = _tables().to_excel(self, path, lang)
        return made


@singledispatch
def text(value: object, lang: str = "en") -> str:
    """The text of a value; rooms register their own with `@text.register`.

    Without a registration: the table and the notes of a value that has them, else its fields on one line.

    Parameters:
        value: anything. lang: "en" or "zh" (used by registered types).

    Returns:
        one or more lines.

    Example:
        >>> text(2 / 3)
        '0.6667'
    """
    if isinstance(value, float):
        return significant(value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return f"{type(value).__name__}()" if isinstance(value, Shown) else repr(value)
    frame = getattr(value, "table", None)
    if frame is not None and hasattr(frame, "iter_rows"):
        return "\n".join([type(value).__name__, table(frame), *_notes(value, lang)])
    shown = (f"{f.name}={_brief(getattr(value, f.name))}" for f in dataclasses.fields(value))
    return f"{type(value).__name__}({', '.join(shown)})"


@singledispatch
def _html(value: object, lang: str) -> str | None:  # noqa: ARG001 - the registered functions use it
    """The HTML of a type nobody registered: none."""
    return None


def html(value: object, lang: str = "en") -> str | None:
    """The HTML of a value, or None when nobody registered any for its type.

    Parameters:
        value: anything. lang: "en" or "zh".

    Returns:
        an HTML fragment or None.

    Example:
        >>> class Nobody: ...
        >>> html(Nobody()) is None
        True
    """
    while _HTML_MODULES:
        importlib.import_module(_HTML_MODULES.pop())
    return _html(value, lang)


def register_html(kind: type[T], draw: Callable[[T, str], str]) -> None:
    """Let `draw(value, lang)` make the HTML of every `kind`.

    Example:
        >>> class Bold(str): ...
        >>> register_html(Bold, lambda value, lang: f"<b>{value}</b>")
        >>> html(Bold("x"))
        '<b>x</b>'
    """
    _html.register(kind, draw)


def html_from(module: str) -> None:
    """Name the module that registers HTML; it is imported at the first `html`, never before.

    Called once by the composition root (`csi/__init__.py`).

    Example:
        >>> html_from("json")
        >>> html(object()) is None
        True
    """
    _HTML_MODULES.append(module)


def tables_from(module: str) -> None:
    """Name the module that gives a result's tables as frames, LaTeX and workbooks; imported when first asked.

    Called once by the composition root (`csi/__init__.py`).

    Example:
        >>> tables_from("csi.reporting.exported")
    """
    _TABLES[:] = [module]


def _tables() -> ModuleType:
    return importlib.import_module(_TABLES[0])


def doctor_from(module: str) -> None:
    """Name the module whose `withheld_cells` says which paths must not be printed; imported at the first estimate.

    Called once by the composition root (`csi/__init__.py`).

    Example:
        >>> doctor_from("csi.measures.admissible")
    """
    _DOCTORS[:] = [module]


def doctors() -> list[ModuleType]:
    """The modules named by `doctor_from`.

    Example:
        >>> doctor_from("csi.measures.admissible")
        >>> [one.__name__ for one in doctors()]
        ['csi.measures.admissible']
    """
    return [importlib.import_module(name) for name in _DOCTORS]


def significant(value: float, digits: int = 4) -> str:
    """A number with `digits` significant digits, for the prompt; "-" where it is absent.

    Example:
        >>> significant(72.45391), significant(12000000.0), significant(float("nan"))
        ('72.45', '12000000', '-')
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value) or value == 0:
        return "0" if value == 0 else str(value)
    exponent = math.floor(math.log10(abs(value)))
    if not -5 < exponent < 15:
        return f"{value:.{digits - 1}e}"
    return (
        f"{value:.{max(digits - 1 - exponent, 0)}f}".rstrip("0").rstrip(".")
        if exponent < digits - 1
        else f"{value:.0f}"
    )


def least_p(draws: int, tails: int = 1) -> float:
    """The least p-value that so many permutations or resamples can give, tails / (draws + 1); 0 without any.

    A p there was reached by no draw: it is a bound, "p ≤ .002", not a value.

    Source: Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1):39.

    Example:
        >>> least_p(499), least_p(999, tails=2), least_p(0)
        (0.002, 0.002, 0.0)
    """
    return tails / (draws + 1) if draws > 0 else 0.0


def at_floor(p: float | None, least: float) -> bool:
    """Whether a p-value is no larger than the least that its draws can give.

    Example:
        >>> at_floor(0.002, least_p(499)), at_floor(0.004, least_p(499)), at_floor(0.002, 0.0)
        (True, False, False)
    """
    return p is not None and 0 < p <= least * (1 + 1e-6)


def rounded_up(p: float) -> float:
    """A bound to three decimals, never below itself.

    Example:
        >>> rounded_up(1 / 300), rounded_up(0.002)
        (0.004, 0.002)
    """
    return math.ceil(1000 * p - 1e-6) / 1000


def p_digits(p: float, least: float = 0.0) -> int:
    """Decimals of a p-value: three, and four where three would print it like the floor of its draws, which it is not.

    Example:
        >>> p_digits(0.0022, least_p(499)), p_digits(0.002, least_p(499)), p_digits(0.03, least_p(499))
        (4, 3, 3)
    """
    alike = least > 0 and not at_floor(p, least) and f"{p:.3f}" == f"{rounded_up(least):.3f}"
    return 4 if alike else 3


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number of a sentence with as many decimals as the table beside it; "-" where it is absent.

    Example:
        >>> fixed(0.2), fixed(-0.695), fixed(-0.001), fixed(None)
        ('0.20', '-0.69', '0.00', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    said = f"{value:.{decimals}f}"
    return said.removeprefix("-") if float(said) == 0 else said


def width(string: str) -> int:
    """Columns a string takes on a terminal; Chinese characters and full-width punctuation take two.

    Example:
        >>> width("index"), width("满意度")
        (5, 6)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in string)


def table(
    frame: Frame, number: Number | Mapping[str, Number] = significant, headings: Mapping[str, str] | None = None
) -> str:
    """A frame as aligned plain text: names left, numbers right, Chinese counted at its real width.

    Parameters:
        frame: a polars DataFrame (or anything with `columns` and `iter_rows`).
        number: prints a number; one function for all columns, or {column: function} (others use four digits); a
            column with a function of its own is set to the right even where its numbers are already words.
        headings: what to print above a column instead of its name.

    Returns:
        lines joined by newlines: headings, a rule, the rows.

    Example:
        >>> import polars as pl
        >>> print(table(pl.DataFrame({"品牌": ["中讯", "B"], "index": [76.5, None]})))
        品牌  index
        ----  -----
        中讯   76.5
        B         -
    """
    prints = number if isinstance(number, Mapping) else dict.fromkeys(frame.columns, number)
    rows = [tuple(row) for row in frame.iter_rows()]
    columns = []
    for place, name in enumerate(frame.columns):
        values = [row[place] for row in rows]
        cells = [_cell(v, prints.get(name, significant)) for v in values]
        right = _numeric(values) or (isinstance(number, Mapping) and name in number)
        columns.append(_column((headings or {}).get(name, name), cells, right=right))
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _column(heading: str, cells: Sequence[str], *, right: bool) -> list[str]:
    """Heading, rule and cells of one column, padded to one width."""
    wide = max(width(s) for s in (heading, *cells))
    lines = [heading, "-" * wide, *cells]
    return [" " * (wide - width(s)) + s if right else s + " " * (wide - width(s)) for s in lines]


def _cell(value: object, number: Number) -> str:
    """One printed cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def _numeric(values: Iterable[object]) -> bool:
    """Whether a column is set to the right: it holds numbers and nothing else but blanks."""
    present = [v for v in values if v is not None]
    return bool(present) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in present)


def _notes(value: object, lang: str) -> list[str]:
    """The notes of a result, one line each."""
    return [f"* {note.say(lang)}" for note in getattr(value, "notes", ())]


def _brief(value: object) -> str:
    """One field on one line: arrays by their shape, long texts shortened."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"<{' x '.join(str(n) for n in shape)}>"
    shown = significant(value) if isinstance(value, float) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
