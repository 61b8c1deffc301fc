"""Comments as they are scored: one row each, its language, the human codes apart, keys and design of its writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.text_language import LANGUAGES, LONGEST, READ, language
from csi.errors import Note, Problems, note, problem
from csi.moments.stack import Array, Ints
from csi.survey.keyed import GROUPING
from csi.survey.panel import Panel

SCALES: Final = ((0.0, 1.0), (-1.0, 1.0), (1.0, 5.0), (0.0, 10.0), (0.0, 100.0))
"""Scales that scores are taken to be on where nobody says: the first that holds all."""

CODES: Final = ("coder", "human_score")


@dataclass(frozen=True, slots=True)
class Read:
    """Comments.

    Attributes:
        frame: row, id, text, language, score (0 to 1, the user's), human (0 to 1, mean of the coders) and the columns
            of the table. codes: row, coder, value (0 to 1). counts: language, comments, share. notes.
    """

    frame: pl.DataFrame
    codes: pl.DataFrame
    counts: pl.DataFrame
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """Weight and unit of every row, stratum of every unit."""

    weight: Array
    unit: Ints
    stratum: Ints

    def of(self, rows: Ints) -> tuple[Array, Ints, Ints]:
        """Those of some rows."""
        return self.weight[rows], self.unit[rows], self.stratum


def read(
    events: pl.DataFrame, scale: tuple[float, float] | None, human: tuple[float, float] | None, place: str
) -> Read:
    """Comments with their language; rows of several coders put together.

    Raises:
        Problems: E-TEXT for scores outside their scale, or comments of which none can be read.
    """
    frame = events.with_columns(pl.lit(None, pl.Float64).alias(c) for c in ("score",) if c not in events.columns)
    frame, notes = _scaled(frame, "score", scale, place)
    if "human_score" in frame.columns:
        frame, more = _scaled(frame, "human_score", human, place)
        notes += more
    frame, codes = _together(frame)
    said = language(pl.col("text")).alias("language")
    frame = frame.with_columns(said)
    if "lang" in frame.columns:
        frame = frame.with_columns(_stated().alias("language"))
    counts = frame.group_by("language").len("comments").with_columns(
        pl.col("comments").cast(pl.Int64), (pl.col("comments") / frame.height).alias("share"),
        pl.col("language").replace_strict({k: i for i, k in enumerate(LANGUAGES)}).alias("_at"),
    ).sort("_at").drop("_at")  # fmt: skip
    if not frame["language"].is_in(list(READ)).any() and frame["score"].is_null().all():
        listed = ", ".join(f"{k} {n}" for k, n in counts.select("language", "comments").rows())
        en, zh = f"no comment can be read ({listed}).", f"没有可读的评论（{listed}）。"
        do, do_zh = "Give comments in Chinese or English, or a column score.", "请提供中文或英文评论，或给出 score 列。"
        raise Problems([problem("E-TEXT", place, en, zh, do, do_zh)])
    long = (pl.col("text").str.len_chars() > LONGEST).fill_null(value=False)
    if count := frame.filter(long).height:
        are, of = ("1 comment is", "it") if count == 1 else (f"{count} comments are", "each")
        en = f"{are} longer than {LONGEST:,} characters; the first {LONGEST:,} of {of} are read."
        notes.append(note("N-TEXT-LONG", en, f"有 {count} 条评论超过 {LONGEST} 字，仅读取前 {LONGEST} 字。"))
    return Read(frame.with_columns(pl.col("text").str.slice(0, LONGEST)), codes, counts, (*notes, *_unread(counts)))


def _stated() -> pl.Expr:
    """The language that the table states, for comments with letters; others than Chinese and English are unknown."""
    own = pl.col("lang").str.to_lowercase().str.slice(0, 2)
    known = pl.col("lang").is_not_null() & ~pl.col("language").is_in(["emoji", "empty"])
    stated = pl.when(own.is_in(["zh", "en"])).then(own).when(pl.col("lang").str.to_lowercase() == "mixed")
    return pl.when(known).then(stated.then(pl.lit("mixed")).otherwise(pl.lit("unknown"))).otherwise(pl.col("language"))


def _together(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row per comment and the codes of each; rows that differ in coder and human_score alone are one comment."""
    if "human_score" not in frame.columns:
        empty = pl.DataFrame(schema={"row": pl.UInt32, "coder": pl.String, "value": pl.Float64})
        return frame.with_columns(pl.lit(None, pl.Float64).alias("human")).with_row_index("row"), empty
    if "coder" not in frame.columns:
        once = frame.rename({"human_score": "human"}).with_row_index("row")
        codes = once.select("row", pl.lit("").alias("coder"), pl.col("human").alias("value")).drop_nulls("value")
        return once, codes
    own = [c for c in frame.columns if c not in CODES]
    once = frame.select(own).unique(maintain_order=True).with_row_index("row")
    all_codes = frame.join(once, on=own, how="left", nulls_equal=True, maintain_order="left")
    codes = all_codes.select("row", pl.col("coder").fill_null(""), pl.col("human_score").alias("value"))
    codes = codes.drop_nulls("value").group_by("row", "coder", maintain_order=True).agg(pl.col("value").sort().mean())
    means = codes.group_by("row").agg(pl.col("value").sort().mean().alias("human"))
    return once.join(means, on="row", how="left", maintain_order="left"), codes


def _scaled(
    frame: pl.DataFrame, column: str, given: tuple[float, float] | None, place: str
) -> tuple[pl.DataFrame, list[Note]]:
    """Scores moved to 0..1, and which scale they were taken to be on.

    Raises:
        Problems: E-TEXT.
    """
    values = frame[column].drop_nulls()
    if not len(values):
        return frame, []
    least, most = float(values.min()), float(values.max())  # type: ignore[arg-type]  # numbers
    fits = [s for s in ((given,) if given else SCALES) if s[0] <= least and most <= s[1] and s[0] < s[1]]
    if not fits:
        said = f"{given[0]:g} to {given[1]:g}" if given else "a known scale"
        said_zh = f"{given[0]:g}–{given[1]:g}" if given else "常见量程"
        en = f"scores run from {least:g} to {most:g}, which is not on {said}."
        zh = f"取值为 {least:g} 至 {most:g}，不在{said_zh}内。"
        do, do_zh = (
            "State the scale: scale=(-3, 3), human_scale=(1, 7).",
            "请注明量程：scale=(-3, 3)、human_scale=(1, 7)。",
        )
        raise Problems([problem("E-TEXT", f'{place}, column "{column}"', en, zh, do, do_zh)])
    low, high = fits[0]
    moved = frame.with_columns((pl.col(column) - low) / (high - low))
    if given:
        return moved, []
    en = f"{column} is taken to run from {low:g} to {high:g}, neutral at {(low + high) / 2:g}."
    zh = f"{column} 按 {low:g} 至 {high:g} 读取，中性为 {(low + high) / 2:g}。"
    return moved, [note("N-TEXT-SCALE", en, zh)]


def _unread(counts: pl.DataFrame) -> tuple[Note, ...]:
    """How many comments are not read, and why."""
    by = dict(counts.select("language", "comments").rows())
    words = {
        "empty": ("empty", "为空"), "emoji": ("without any letter (emoji, figures)", "没有文字（仅表情、数字）"),
        "unknown": ("in another language", "为其他语言"),
    }  # fmt: skip
    said = [(by[k], *w) for k, w in words.items() if k in by]
    total = int(counts["comments"].sum())
    out = [_mixed(by["mixed"], total)] if "mixed" in by else []
    if not said:
        return tuple(out)
    en = ", ".join(f"{n} {w}" for n, w, _ in said)
    zh = "，".join(f"{n} 条{w}" for n, _, w in said)
    out.append(note("N-TEXT-UNREAD", f"of {total} comments {en}: not read.", f"{total} 条评论中，{zh}，未读取。"))
    return tuple(out)


def _mixed(count: int, total: int) -> Note:
    """How many comments have Chinese and English in them."""
    en = f"{count} of {total} comments mix Chinese and English: the words of both are read, each by its own lexicon."
    return note("N-TEXT-MIXED", en, f"{total} 条评论中有 {count} 条中英混写：两种文字各按其词典读取。")


def keyed(frame: pl.DataFrame, panel: Panel | None, by: Sequence[str]) -> tuple[pl.DataFrame, Design, tuple[Note, ...]]:
    """Comments with the keys asked for and the design of their writers.

    Raises:
        Problems: E-BY for a key that neither the comments nor the answers have.
    """
    notes: list[Note] = []
    lacking = [k for k in by if k not in frame.columns and (panel is None or k not in panel.frame.columns)]
    if lacking:
        found = [
            problem("E-BY", "by", f'neither the comments nor the answers have "{k}".', f"评论与答卷中都没有“{k}”。",
                    f"Keys: {', '.join(GROUPING)}.", f"可用：{'、'.join(GROUPING)}。")
            for k in lacking
        ]  # fmt: skip
        raise Problems(found)
    if panel is None:
        unit = frame["id"].rank("dense").to_numpy().astype(np.int64) - 1
        design = Design(np.ones(frame.height), unit, np.zeros(int(unit.max()) + 1, dtype=np.int64))
        return frame, design, ()
    on = [k for k in ("wave", "brand") if k in frame.columns and k in panel.frame.columns]
    for k in [k for k in by if k not in frame.columns]:
        one = panel.frame.group_by("respondent", *on).agg(
            pl.when(pl.col(k).n_unique() == 1).then(pl.col(k).first()).alias(k)
        )  # fmt: skip
        frame = frame.join(
            one.rename({"respondent": "id"}), on=["id", *on], how="left", nulls_equal=True, maintain_order="left"
        )
        if gone := frame[k].null_count():
            en = f"{gone} of {frame.height} comments have no single {k}: their writer has several, or none there."
            notes.append(note("N-TEXT-KEY", en, f"{frame.height} 条评论中有 {gone} 条无法确定唯一的 {k}。"))
    own = panel.frame.group_by("respondent").agg(
        _first(panel, "weight", pl.lit(1.0)), _first(panel, "cluster", pl.col("respondent").first()),
        _first(panel, "stratum", pl.lit("")),
    )  # fmt: skip
    joined = frame.join(own.rename({"respondent": "id"}), on="id", how="left", maintain_order="left")
    code = joined.select(pl.col("stratum").rank("dense").alias("h"), pl.struct("stratum", "cluster").alias("u"))
    unit = code["u"].rank("dense").to_numpy().astype(np.int64) - 1
    stratum = np.zeros(int(unit.max()) + 1, dtype=np.int64)
    stratum[unit] = code["h"].to_numpy().astype(np.int64) - 1
    return frame, Design(joined["weight"].to_numpy().astype(np.float64), unit, stratum), tuple(notes)


def _first(panel: Panel, role: str, otherwise: pl.Expr) -> pl.Expr:
    """What the design says of a respondent."""
    if role not in panel.frame.columns:
        return otherwise.alias(role)
    kind = pl.Float64 if role == "weight" else pl.String
    return (pl.col(role).mean() if role == "weight" else pl.col(role).cast(kind).first().fill_null("")).alias(role)
