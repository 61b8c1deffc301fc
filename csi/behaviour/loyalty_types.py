"""Four types of loyalty: how customers feel about staying, crossed with whether they keep buying.

                        repeat patronage high    low
    attitude high       loyalty                  latent loyalty
    attitude low        spurious loyalty         no loyalty

Source:
    Dick & Basu (1994), Journal of the Academy of Marketing Science 22(2), 99-113, figure 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.behaviour.asked import Scored, scored
from csi.display import Shown, fixed, text
from csi.errors import Note, Problems, Reason, Text, note, problem, reason
from csi.inference.linearised import Means, critical, means
from csi.measures.shown import based, told
from csi.measures.tidy import with_reasons
from csi.moments.stack import Array
from csi.survey.bases import FLAGGED, SMALL, Bases, told_cells
from csi.survey.keyed import of_cell, stacked
from csi.survey.panel import Panel

TYPES: Final = {
    "loyalty": Text("loyalty", "真正忠诚"),
    "latent": Text("latent loyalty", "潜在忠诚"),
    "spurious": Text("spurious loyalty", "虚假忠诚"),
    "none": Text("no loyalty", "无忠诚"),
}
"""Attitude and patronage: both high, only attitude, only patronage, neither."""

HEADINGS: Final = {
    "type": Text("type", "类型"),
    "attitude": Text("attitude", "态度"),
    "patronage": Text("patronage", "行为"),
    "n": Text("n", "样本量"),
    "count": Text("customers", "人数"),
    "share": Text("share", "占比"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
}
MIDDLE = 50.0
"""Cut-point where none is given: the middle of the scale."""


@dataclass(frozen=True, slots=True, repr=False)
class LoyaltyTypes(Shown):
    """Shares of the four types in every cell.

    Attributes:
        table: key columns, type ("loyalty", "latent", "spurious", "none"), attitude, patronage ("high", "low"), n
            (with both scores), count, share, std_error, conf_low, conf_high (Wald on the logit, by the design), flag,
            reason, reason_zh (of few answers).
        cuts: (attitude, patronage) 0-100: above is high. attitude, patronage: the constructs. labels, level,
        sentences, notes.
    """

    table: pl.DataFrame
    cuts: tuple[float, float]
    attitude: str
    patronage: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: LoyaltyTypes, lang: str = "en") -> str:
    """Sentences, shares, notes."""
    words = {k: t.say(lang) for k, t in TYPES.items()} | {k: t.say(lang) for k, t in SIDES.items()}
    shown = value.table.with_columns(pl.col("type", "attitude", "patronage").replace(words))
    lines = [*(s.say(lang) for s in value.sentences), "", based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


SIDES: Final = {"high": Text("high", "高"), "low": Text("low", "低")}


def loyalty_types(
    panel: Panel,
    attitude: str = "loyalty",
    patronage: str = "repurchase",
    *,
    cuts: tuple[float, float] = (MIDDLE, MIDDLE),
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> LoyaltyTypes:
    """Dick and Basu's table: shares of loyalty, latent, spurious and no loyalty, with intervals.

    Parameters:
        panel: answers with a codebook. attitude, patronage: constructs or items; scores are means of their items on
            0-100 (of a count of purchases, 100 is the top of its scale).
        cuts: the scores above which attitude and patronage are high. by: key columns that make cells. where: keep only
            rows with these key values. level: of the intervals. small, flagged: cells of fewer answers are withheld, or
            marked.

    Returns:
        A `LoyaltyTypes`. The shares move with the cuts, which are printed.

    Raises:
        Problems: no such construct (E-ROLE), items without bounds (E-SCALE), cuts outside 0 to 100, a level outside
            (0, 1).

    Source:
        Dick & Basu (1994). Interval: logit-transformed, linearised variance (Korn & Graubard 1999, 2.3); of shares of
        0 and 1 Wilson's (1927).

    Example:
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> ten = Scale("ten", 0, 10)
        >>> book = Codebook(tuple(Item(n, n, ten, Text(n, n)) for n in ("feel", "buy")), {}, {})
        >>> frame = pl.DataFrame({"feel": [9.0, 9, 2, 2], "buy": [9.0, 1, 8, 1]})
        >>> panel = Panel(frame, book, frame.cast(pl.String))
        >>> loyalty_types(panel, "feel", "buy", small=0).table["share"].to_list()
        [0.25, 0.25, 0.25, 0.25]
    """
    wrong = [c for c in cuts if not 0 <= c < 100]
    if wrong:
        en, zh = f"cut {wrong[0]:g} is not from 0 to below 100.", f"分界点 {wrong[0]:g} 不在 0 至 100 之间。"
        do, do_zh = "Cuts are on the 0-100 scores, such as (50, 50).", "分界点用 0–100 分，如 (50, 50)。"
        raise Problems([problem("E-SETTING", "cuts", en, zh, do, do_zh)])
    bases = Bases(small, flagged)
    found = scored(panel, (attitude, patronage), by, where, level)
    cells = found.sample.cells
    keys = cells.drop("n")
    parts = [_cell(found, cell, cuts, level) for cell in range(cells.height)]
    frame = bases.withheld(stacked(keys, parts))
    names = found.labels
    en = f"high is above {cuts[0]:g} of {names[attitude].en} and above {cuts[1]:g} of {names[patronage].en} (0-100); "
    zh = f"{names[attitude].zh}高于 {cuts[0]:g}、{names[patronage].zh}高于 {cuts[1]:g}（0–100）记为“高”；"
    told_ = note("N-LOYALTY", f"{en}the shares move with these cuts.", f"{zh}占比随分界点而变。")
    said = (*bases.sentences(frame), *_sentences(frame, keys.columns))
    notes = (told_, *bases.notes(frame, keys.columns), *found.sample.notes)
    return LoyaltyTypes(frame, cuts, attitude, patronage, names, level, said, notes)


def _cell(found: Scored, cell: int, cuts: tuple[float, float], level: float) -> pl.DataFrame:
    """Shares of one cell."""
    scores, design = found.rows(cell)
    high = scores > np.array(cuts)
    feels, buys = high.T
    flags = np.column_stack([feels & buys, feels & ~buys, ~feels & buys, ~feels & ~buys])
    one = means(flags.astype(np.float64), *design)
    low, up = share_interval(one, design.weight, level)
    sides = (("high", "high"), ("high", "low"), ("low", "high"), ("low", "low"))
    frame = pl.DataFrame(
        {
            "type": list(TYPES),
            "attitude": [a for a, _ in sides],
            "patronage": [p for _, p in sides],
            "n": one.n.astype(np.int64),
            "count": flags.sum(axis=0),
            "share": one.mean,
            "std_error": one.std_error,
            "conf_low": low,
            "conf_high": up,
        }
    ).with_columns(pl.col("share", "std_error", "conf_low", "conf_high").fill_nan(None))
    return with_reasons(frame, [absent(len(scores), one.df)] * frame.height)


NOBODY: Final = reason("R-NO-ANSWERS", "nobody has both scores here.", "此处没有同时具备两项得分的受访者。")
ONE_UNIT: Final = reason(
    "R-CLUSTERS-ONE", "no errors: all rows come from one unit.", "没有标准误：所有行同属一个抽样单元。"
)


def absent(rows: int, df: Array) -> Reason | None:
    """Why a cell has no shares, or shares without errors."""
    return NOBODY if rows == 0 else ONE_UNIT if not (df > 0).all() else None


def share_interval(found: Means, weight: Array, level: float) -> tuple[Array, Array]:
    """Limits of shares: t on the logit; of nobody or everybody Wilson's with Kish's number of answers.

    Parameters:
        found: means of flags. weight: (n,) of the rows.
    """
    low, up = logit_interval(found.mean, found.std_error, found.df, level)
    none, all_ = _ends(weight, critical(level, found.df)[0])
    low = np.where(found.mean == 0, 0.0, np.where(found.mean == 1, all_, low))
    up = np.where(found.mean == 0, none, np.where(found.mean == 1, 1.0, up))
    known = found.df > 0
    return np.where(known, low, np.nan), np.where(known, up, np.nan)


def _ends(weight: Array, point: float) -> tuple[float, float]:
    """Wilson's upper bound of a share of 0 and lower bound of a share of 1."""
    if not weight.size:
        return float("nan"), float("nan")
    size = weight.sum() ** 2 / (weight**2).sum()
    reach = point**2 / (size + point**2)
    return float(reach), float(1 - reach)


def logit_interval(share: Array, error: Array, df: Array, level: float) -> tuple[Array, Array]:
    """Limits of shares, t on the logit; NaN where a share is 0 or 1.

    Example:
        >>> low, high = logit_interval(np.array([0.5]), np.array([0.05]), np.array([99.0]), 0.95)
        >>> low.round(4).tolist(), high.round(4).tolist()
        ([0.4021], [0.5979])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(share / (1 - share))
        reach = critical(level, df) * error / (share * (1 - share))
        inside = (share > 0) & (share < 1)
        low, high = (1 / (1 + np.exp(-(centre + side * reach))) for side in (-1, 1))
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


SAID: Final = {
    "loyalty": Text("of customers are loyal in attitude and in what they do", "态度与行为皆忠诚"),
    "spurious": Text("keep buying without attachment (spurious loyalty)", "无情感认同而持续购买"),
    "latent": Text("are attached but do not keep buying (latent loyalty)", "有情感认同而未持续购买"),
}
"""What customers of a type do."""


def _sentences(frame: pl.DataFrame, keys: Sequence[str]) -> tuple[Text, ...]:
    """The share of spurious loyalty, which leaves when it can, and of loyalty, cell by cell."""
    made: list[Text] = []
    for cell, rows in told_cells(frame, keys):
        share = {r["type"]: r for r in rows.iter_rows(named=True)}
        en, zh = [], []
        for kind in ("loyalty", "spurious", "latent"):
            row = share[kind]
            if row["share"] is None:
                continue
            value = f"{fixed(100 * row['share'], 1)}%"
            if row["conf_low"] is not None:
                value += f" [{100 * row['conf_low']:.1f}, {100 * row['conf_high']:.1f}]"
            en.append(f"{value} {SAID[kind].en}")
            zh.append(f"{TYPES[kind].zh} {value}（{SAID[kind].zh}）")
        if not en:
            continue
        said, said_zh = "; ".join(en), "；".join(zh)
        made += of_cell(cell, [Text(f"{said if cell else said[:1].upper() + said[1:]}.", f"{said_zh}。")])
    return tuple(made)
