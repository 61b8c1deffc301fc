"""Minimum bases: which numbers have too few answers behind them to be published, and which to be read without care.

Below `small` answers a value is withheld (its row stays, with n and the reason), below `flagged` it is marked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason, whole
from csi.survey.keyed import cell_name, of_cell

SMALL: Final = 30
"""Fewer answers are withheld."""

FLAGGED: Final = 100
"""Fewer answers are marked."""

FLAGS: Final = {
    "suppressed": Text("too few answers", "样本过少，不公布"),
    "small": Text("few answers", "样本偏少"),
    "scale": Text("scale in doubt", "量表存疑"),
}
"""What stands in the column `flag`."""

COLUMNS: Final = ("flag", "reason", "reason_zh")
"""The columns that a base adds to a table."""

_MOST: Final = 6
"""Cells that a note names."""


@dataclass(frozen=True, slots=True)
class Bases:
    """Two limits on the number of answers behind a value.

    Parameters:
        small: values of fewer answers are withheld; 0 withholds none. flagged: values of fewer answers are marked.

    Raises:
        Problems: E-SETTING (no whole number from 0).

    Example:
        >>> frame = pl.DataFrame({"brand": ["A", "B", "C"], "n": [240, 56, 24], "mean": [7.1, 6.8, 9.9]})
        >>> Bases().withheld(frame).select("n", "mean", "flag").rows()
        [(240, 7.1, None), (56, 6.8, 'small'), (24, None, 'suppressed')]
    """

    small: int = SMALL
    flagged: int = FLAGGED

    def __post_init__(self) -> None:
        found = [p for name in ("small", "flagged") for p in _limit(name, getattr(self, name))]
        if found:
            raise Problems(found)

    @property
    def reason(self) -> Reason:
        """Why a value is withheld."""
        en, zh = f"fewer than {self.small} answers; suppressed.", f"样本量不足 {self.small}，不予发布。"
        return reason("R-BASE", en, zh)

    def withheld(self, frame: pl.DataFrame, count: str = "n", keep: Collection[str] = ()) -> pl.DataFrame:
        """The frame with null in place of all that stands after `count` where that is too small, and why.

        Parameters:
            frame: a row per value. count: its column of answers. keep: columns after it that are not answers.

        Returns:
            the frame with `flag` ("suppressed", "small" or null), `reason` and `reason_zh` at its end; reasons that it
            had stay where nothing is withheld.
        """
        few, at = pl.col(count) < self.small, frame.columns.index(count)
        flag = pl.when(few).then(pl.lit("suppressed")).when(pl.col(count) < self.flagged).then(pl.lit("small"))
        numbers = [c for c in frame.columns[at + 1 :] if c not in (*COLUMNS, *keep)]
        told = [
            pl.when(few).then(pl.lit(said)).otherwise(pl.col(c) if c in frame.columns else None).alias(c)
            for c, said in zip(COLUMNS[1:], (self.reason.text.en, self.reason.text.zh), strict=True)
        ]
        hidden = [pl.when(~few).then(pl.col(c)).alias(c) for c in numbers]
        kept = [c for c in frame.columns if c not in COLUMNS]
        return frame.with_columns(flag.alias("flag"), *hidden, *told).select(*kept, *COLUMNS)

    def sentences(self, frame: pl.DataFrame, count: str = "n") -> tuple[Text, ...]:
        """What is said where everything is withheld; nothing where something is told."""
        if not frame.height or published(frame, ()).height:
            return ()
        n = _span(frame, count)
        en = f"Too few answers to be told ({n}; at least {self.small} are needed)."
        return (Text(en, f"样本量过少（{n}，至少需要 {self.small}），不予发布。"),)

    def notes(
        self, frame: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text] | None = None, count: str = "n"
    ) -> tuple[Note, ...]:
        """Which cells are withheld (E-BASE) and which are marked (W-BASE).

        Parameters:
            frame: as `withheld` returns it. keys: its key columns. labels: of the names of rows, the last text before
                `count`.
        """
        low, high = self.small, self.flagged
        words = (
            ("suppressed", "E-BASE", f"fewer than {low} answers, withheld", f"样本量不足 {low}，不予发布"),
            ("small", "W-BASE", f"fewer than {high} answers, to be read with care", f"样本量不足 {high}，请谨慎解读"),
        )
        out = []
        for flag, code, en, zh in words:
            said = list(_cells(frame, keys, flag, labels or {}, count))
            more, more_zh = ("; ...", "等") if len(said) > _MOST else ("", "")
            if said:
                named = "; ".join(t.en for t in said[:_MOST]) + more
                named_zh = "；".join(t.zh for t in said[:_MOST]) + more_zh
                out.append(note(code, f"{en}: {named}.", f"{zh}：{named_zh}。"))
        return tuple(out)


def published(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The rows of cells in which anything is published.

    Example:
        >>> frame = pl.DataFrame({"brand": ["A", "B"], "flag": [None, "suppressed"]})
        >>> published(frame, ["brand"])["brand"].to_list()
        ['A']
    """
    gone = pl.col("flag").eq_missing("suppressed").all()
    return frame.filter(~(gone.over(list(keys)) if keys else gone)) if "flag" in frame.columns else frame


def told_cells(frame: pl.DataFrame, keys: Sequence[str]) -> Iterator[tuple[dict[str, object], pl.DataFrame]]:
    """The cells in which anything is published, with their rows.

    Example:
        >>> frame = pl.DataFrame({"brand": ["A", "B"], "flag": [None, "suppressed"]})
        >>> [cell for cell, _ in told_cells(frame, ["brand"])]
        [{'brand': 'A'}]
    """
    rows = published(frame, keys)
    if rows.height:
        for part in rows.partition_by(list(keys), maintain_order=True) if keys else [rows]:
            yield {k: part[k][0] for k in keys}, part


def untold(frame: pl.DataFrame, keys: Sequence[str]) -> tuple[Note, ...]:
    """Why cells with enough answers cannot be told.

    Example:
        >>> row = {"brand": ["A"], "flag": [None], "reason": ["too alike."], "reason_zh": ["过于一致。"]}
        >>> untold(pl.DataFrame(row), ["brand"])[0].say("zh")
        'A：过于一致。'
    """
    rows = frame.filter(pl.col("reason").is_not_null() & pl.col("flag").ne_missing("suppressed"))
    return tuple(
        Note("W-CELLS", of_cell({k: row[k] for k in keys}, [Text(row["reason"], row["reason_zh"])])[0])
        for row in rows.iter_rows(named=True)
    )


def without(frame: pl.DataFrame, of: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """The rows of a frame that belong to no withheld row of another.

    Parameters:
        frame: such as a distribution. of: as `Bases.withheld` returns it. on: the columns by which they belong.

    Example:
        >>> table = Bases().withheld(pl.DataFrame({"brand": ["A", "B"], "n": [40, 4]}))
        >>> without(pl.DataFrame({"brand": ["A", "B"], "share": [0.2, 1.0]}), table, ["brand"]).rows()
        [('A', 0.2)]
    """
    gone = of.filter(pl.col("flag").eq_missing("suppressed"))
    if not frame.height or not gone.height:
        return frame
    if not on:
        return frame.clear() if gone.height == of.height else frame
    return frame.join(gone.select(on).unique(), on=list(on), how="anti", nulls_equal=True, maintain_order="left")


def following(frame: pl.DataFrame, of: pl.DataFrame, on: Sequence[str], keep: Collection[str] = ()) -> pl.DataFrame:
    """The rows of a frame marked as those of another that they belong to, null where those are withheld.

    Parameters:
        frame: such as slopes. of: as `Bases.withheld` returns it, a row for every combination of `on`. on: the columns
            by which they belong. keep: columns that stay.

    Example:
        >>> table = Bases().withheld(pl.DataFrame({"brand": ["A", "B"], "n": [400, 4]}))
        >>> slopes = pl.DataFrame({"brand": ["A", "B"], "slope": [0.2, 1.0]})
        >>> following(slopes, table, ["brand"]).select("brand", "slope", "flag").rows()
        [('A', 0.2, None), ('B', None, 'suppressed')]
    """
    told = of.select(*on, *COLUMNS)
    if on:
        marked = frame.join(told, on=list(on), how="left", nulls_equal=True, maintain_order="left")
    else:
        marked = frame.join(told, how="cross")
    gone = pl.col("flag").eq_missing("suppressed")
    values = [c for c in frame.columns if c not in (*on, *keep)]
    return marked.with_columns(pl.when(~gone).then(pl.col(c)).alias(c) for c in values)


def in_words(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """The frame with its flags in words and the reasons of one language; columns that say nothing are left out.

    Example:
        >>> frame = Bases(flagged=0).withheld(pl.DataFrame({"n": [40], "mean": [7.1]}))
        >>> in_words(frame, "en").columns
        ['n', 'mean']
    """
    if "flag" not in frame.columns:
        return frame
    own, other = ("reason_zh", "reason") if lang == "zh" else ("reason", "reason_zh")
    others = frame.filter(pl.col("flag").ne_missing("suppressed"))
    empty = [c for c, rows in (("flag", frame), (own, others)) if c in frame.columns and rows[c].is_null().all()]
    told = frame.with_columns(pl.col("flag").replace({f: t.say(lang) for f, t in FLAGS.items()}))
    return told.drop(other, *empty, strict=False)


HEADINGS: Final = {
    "flag": Text("base", "样本量提示"), "reason": Text("reason", "原因"), "reason_zh": Text("reason", "原因"),
}  # fmt: skip
"""Headings of what `in_words` leaves."""


def _limit(name: str, value: object) -> list[Problem]:
    """A problem where a limit is no whole number from 0."""
    if found := whole(name, value):
        return found
    if int(str(value)) >= 0:
        return []
    en, zh = f"{name} = {value} is negative.", f"{name} = {value} 为负。"
    return [problem("E-SETTING", name, en, zh, "Write 0 or more.", "请写 0 或正整数。")]


def _cells(
    frame: pl.DataFrame, keys: Sequence[str], flag: str, labels: Mapping[str, Text], count: str
) -> Iterator[Text]:
    """The cells with a flag, or the rows of a cell of which only some have it."""
    before = frame.columns[: frame.columns.index(count)]
    names = next((c for c in reversed(before) if c not in keys and frame[c].dtype == pl.String), "")
    for part in frame.partition_by(list(keys), maintain_order=True) if keys else [frame]:
        own = part.filter(flag=flag)
        if not own.height:
            continue
        told = {k: labels.get(str(part[k][0])) or Text(part[k][0], part[k][0]) for k in keys}
        cell = Text(cell_name({k: t.en for k, t in told.items()}).en, cell_name({k: t.zh for k, t in told.items()}).zh)
        n = _span(own, count)
        if own.height == part.height or not names:
            yield Text(f"{cell.en} ({n})" if cell.en else n, f"{cell.zh}（{n}）" if cell.zh else n)
            continue
        listed = [labels.get(v, Text(v, v)) for v in own[names].unique(maintain_order=True)]
        tail, tail_zh = (", ...", "等") if len(listed) > _MOST else ("", "")
        en, zh = ", ".join(t.en for t in listed[:_MOST]) + tail, "、".join(t.zh for t in listed[:_MOST]) + tail_zh
        yield Text(f"{cell.en}: {en} ({n})" if cell.en else f"{en} ({n})",
                   f"{cell.zh}：{zh}（{n}）" if cell.zh else f"{zh}（{n}）")  # fmt: skip


def _span(frame: pl.DataFrame, count: str) -> str:
    """How many answers, or from how many to how many."""
    counts = sorted(frame[count].unique().to_list())
    return f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]}–{counts[-1]}"
