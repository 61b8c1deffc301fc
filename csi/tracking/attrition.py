"""Who stayed and who left from wave to wave, and how those who left differed before they did.

Letters: `n` rows of a cell, `u` units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.given import check_kind
from csi.moments.stack import Array, Ints
from csi.survey.bases import SMALL
from csi.survey.disclosure import apart, below
from csi.survey.panel import Panel
from csi.tracking.cell_pairs import places_of
from csi.tracking.contrasts import construct_place, holm, t_tests
from csi.tracking.index import Index
from csi.tracking.index_influence import Strata
from csi.tracking.row_points import row_points
from csi.tracking.show import shown
from csi.tracking.waves import wave_order

ALL: Final = ""
"""The brand of the rows about everybody."""


@dataclass(frozen=True, slots=True, repr=False)
class Attrition(Shown):
    """Attrition of a panel.

    Attributes:
        table: brand (empty: everybody, each person once), wave, n (people), entered (not seen before), stayed (of the
            wave before), came_back (seen before, not in the wave before), left (of the wave before, not in this one),
            retention (stayed / people of the wave before), reason and reason_zh.
        leavers: brand, wave (in which both answered), later (the wave in which only the first did), n_stayed, n_left,
            stayed and left (their index in `wave`), difference (left less stayed), std_error, df, p_value, p_holm,
            conf_low, conf_high, reason and reason_zh.

    Example:
        >>> import csi
        >>> rows = {"respondent": ["a", "b", "c", "a", "b"], "wave": ["1", "1", "1", "2", "2"], "q": [1.0] * 5}
        >>> book = csi.Codebook((), {}, {})
        >>> panel = csi.Panel(pl.DataFrame(rows), book, pl.DataFrame(), waves=("1", "2"))
        >>> attrition(panel, small=0).table.select("stayed", "left").rows()
        [(None, None), (2, 1)]
    """

    table: pl.DataFrame
    leavers: pl.DataFrame
    construct: str = ""
    notes: tuple[Note, ...] = ()


def attrition(
    panel: Panel, index: Index | None = None, construct: str = "satisfaction", small: int = SMALL
) -> Attrition:
    """Entered, stayed, came back and left in every wave, and the index of leavers beside that of stayers.

    The difference is a comparison of two domains of one wave: its standard error is linearised, with the design's units
    and strata, the index's weights held fixed. It says what leaving is associated with, not what made people leave.

    Parameters:
        panel: answers with respondents and waves. index: of the same answers, by wave; without one there are no
            leavers' numbers. construct: whose index. small: numbers of fewer people are not told, and where those who
            left are too few nothing is told of those who stayed either, because the two make up the wave.

    Raises:
        Problems: E-WAVE (fewer than two waves), E-KEY (no respondents), E-CONSTRUCT, E-SETTING.

    Source:
        Wolter (2007), Introduction to Variance Estimation, 6.2; Fitzgerald, Gottschalk & Moffitt (1998), J. Human
        Resources 33:251-299, for the comparison.

    Example:
        >>> import csi
        >>> rows = {"respondent": ["a", "b", "a", "c"], "wave": ["1", "1", "2", "2"], "q": [1.0] * 4}
        >>> panel = csi.Panel(pl.DataFrame(rows), csi.Codebook((), {}, {}), pl.DataFrame(), waves=("1", "2"))
        >>> attrition(panel, small=0).table["retention"].to_list()
        [None, 0.5]
    """
    wanted = Text("a panel", "答卷面板")
    check_kind(
        "panel", panel, Panel, wanted, Text("Give what csi.read_panel returns.", "请给出 csi.read_panel 的结果。")
    )
    if index is not None:
        check_kind(
            "index", index, Index, Text("an index", "指数"), Text("Give csi.index(est).", "请给出 csi.index(est)。")
        )
    _check(panel)
    people = _people(panel)
    table = _counts(people, panel, small)
    if index is None:
        return Attrition(table, pl.DataFrame(schema=LEFT), "")
    j = construct_place(index, construct)
    leavers, notes = _leavers(panel, index, j, small)
    return Attrition(table, leavers, index.constructs[j], (*notes, _wording()))


def _check(panel: Panel) -> None:
    """Respondents and two waves.

    Raises:
        Problems: E-KEY, E-WAVE.
    """
    found = []
    if "respondent" not in panel.frame.columns:
        en, zh = "the answers do not say who gave them.", "答卷没有受访者编号。"
        do, do_zh = "Name the column under keys: {respondent: ...}.", "请在 keys 中写明 respondent 的列名。"
        found.append(problem("E-KEY", "panel", en, zh, do, do_zh))
    if len(panel.waves) < 2:
        en, zh = "attrition needs two waves.", "流失至少需要两期。"
        do, do_zh = "Give the answers of several waves.", "请给出多期的答卷。"
        found.append(problem("E-WAVE", "panel", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _people(panel: Panel) -> dict[tuple[str, str], set[str]]:
    """(brand, wave) -> who answered; (ALL, wave) -> everybody."""
    keys = ["brand", "wave"] if "brand" in panel.frame.columns else ["wave"]
    whole = panel.frame.drop_nulls("respondent").select(*keys, "respondent").unique()
    out: dict[tuple[str, str], set[str]] = {}
    for row in whole.iter_rows():
        brand, wave, who = row if len(row) == 3 else (ALL, *row)
        out.setdefault((ALL, wave), set()).add(who)
        if brand not in {ALL, None} and len(panel.brands) > 1:
            out.setdefault((brand, wave), set()).add(who)
    return out


def _counts(people: Mapping[tuple[str, str], set[str]], panel: Panel, small: int) -> pl.DataFrame:
    """The table of counts."""
    rows = []
    brands = [ALL, *(b for b in panel.brands if any(key[0] == b for key in people))]
    told = {w: _told(people, [b for b in brands if b != ALL], w, small) for w in panel.waves}
    for brand in brands:
        seen: set[str] = set()
        for t, wave in enumerate(panel.waves):
            now = people.get((brand, wave), set())
            before = people.get((brand, panel.waves[t - 1]), set()) if t else set()
            stay = len(now & before)
            numbers: list[object] = [len(now - seen), stay, len((now & seen) - before), len(before - now)]
            numbers = [*numbers, stay / len(before) if before else None] if t else [numbers[0], None, None, None, None]
            seen |= now
            few = len(now) < small or (t > 0 and 0 < len(before) < small)
            few |= brand != ALL and not (brand in told[wave] and (t == 0 or brand in told[panel.waves[t - 1]]))
            why = below(min(len(now), len(before)) if t else len(now), small) if few else Text("", "")
            rows.append([brand, wave, len(now), *([None] * 5 if few else numbers), why.en or None, why.zh or None])
    return pl.DataFrame(rows, COUNTS, orient="row")


def _told(people: Mapping[tuple[str, str], set[str]], brands: Sequence[str], wave: str, small: int) -> set[str]:
    """Brands whose numbers stand beside everybody's without giving a small brand's away."""
    n = np.array([len(people.get((b, wave), set())) for b in brands], dtype=np.int64)
    return {b for b, yes in zip(brands, apart(n, small), strict=True) if yes} if n.size else set()


COUNTS: Final = {
    "brand": pl.String(), "wave": pl.String(), "n": pl.Int64(), "entered": pl.Int64(), "stayed": pl.Int64(),
    "came_back": pl.Int64(), "left": pl.Int64(), "retention": pl.Float64(), "reason": pl.String(),
    "reason_zh": pl.String(),
}  # fmt: skip

LEFT: Final = {
    "brand": pl.String(), "wave": pl.String(), "later": pl.String(), "n_stayed": pl.Int64(), "n_left": pl.Int64(),
    "stayed": pl.Float64(), "left": pl.Float64(), "difference": pl.Float64(), "std_error": pl.Float64(),
    "df": pl.Float64(), "p_value": pl.Float64(), "p_holm": pl.Float64(), "conf_low": pl.Float64(),
    "conf_high": pl.Float64(), "reason": pl.String(), "reason_zh": pl.String(),
}  # fmt: skip


def _leavers(panel: Panel, index: Index, construct: int, small: int) -> tuple[pl.DataFrame, tuple[Note, ...]]:
    """The index of those who left and of those who stayed, cell by cell."""
    known = index.sample is not None and index.estimated is not None and index.sample.place is not None
    if not known or "wave" not in index.cells.columns:
        en = "This index has no rows or no weights of its own, so that leavers are not held against stayers."
        return pl.DataFrame(schema=LEFT), (note("N-LEAVERS", en, "该指数没有原始行或自身权重，未比较流失者与留存者。"),)
    rows = list(_differences(panel, index, construct, small))
    table = pl.DataFrame(rows, LEFT, orient="row")
    std_error, df = (table[c].fill_null(np.nan).to_numpy() for c in ("std_error", "df"))
    test = t_tests(table["difference"].fill_null(np.nan).to_numpy(), std_error, df, index.level)
    adjusted = holm(test.p_value.tolist())
    return table.with_columns(
        pl.Series("p_value", test.p_value).fill_nan(None),
        pl.Series("p_holm", adjusted).fill_nan(None),
        pl.Series("conf_low", test.conf_low).fill_nan(None),
        pl.Series("conf_high", test.conf_high).fill_nan(None),
    ), ()


def _differences(panel: Panel, index: Index, construct: int, small: int) -> Iterator[list[object]]:
    """One row per cell that has a later wave."""
    order = [w for w in panel.waves if w in set(index.cells["wave"].to_list())] or list(wave_order(index.cells))
    who = panel.frame["respondent"].to_list()
    brands = panel.frame["brand"].to_list() if "brand" in panel.frame.columns else [ALL] * len(who)
    waves = panel.frame["wave"].to_list()
    present = set(zip(brands, waves, who, strict=True))
    for key, cell in places_of(index).items():
        *entity, wave = key
        at = order.index(str(wave))
        found = row_points(index, construct, cell)
        if at + 1 == len(order) or found is None or index.sample is None or index.sample.place is None:
            continue
        rows, y = found
        later = order[at + 1]
        place = index.sample.place[rows]
        stay = np.array([(brands[p], later, who[p]) in present for p in place.tolist()])
        named = np.array([who[p] is not None for p in place.tolist()])
        rows, y, stay = rows[named], y[named], stay[named]
        yield [" / ".join(map(str, entity)), str(wave), later, *_compared(index, rows, y, stay, small)]


def _compared(index: Index, rows: Ints, y: Array, stay: np.ndarray, small: int) -> list[object]:
    """Counts, both means, their difference with its standard error and degrees of freedom, or why not."""
    sample = index.sample
    kept, left = int(stay.sum()), int((~stay).sum())
    blank: list[object] = [None] * 4
    if sample is None or min(kept, left) < max(small, 2):
        least = min(kept, left)
        none = least == 0
        en = ("nobody left." if left == 0 else "nobody stayed.") if none else below(least, max(small, 2)).en
        zh = ("无人流失。" if left == 0 else "无人留存。") if none else below(least, max(small, 2)).zh
        counts = [kept, left] if none or small <= 2 else [None, None]
        return [*counts, None, None, None, None, None, *blank, en, zh]
    d = sample.weight[rows]
    means = [float(d[g] @ y[g] / d[g].sum()) for g in (stay, ~stay)]
    z = np.where(stay, -d * (y - means[0]) / d[stay].sum(), d * (y - means[1]) / d[~stay].sum())
    units, at = np.unique(sample.unit[rows], return_inverse=True)
    layer = np.zeros(units.size, dtype=np.int64) if sample.layer is None else sample.layer[units]
    variance = Strata.of(layer).of_rows(z[:, None], at.astype(np.int64))[0]
    df = float(units.size - np.unique(layer).size - 1)
    return [kept, left, *means, means[1] - means[0], float(np.sqrt(variance)), df, *blank, None, None]


def _wording() -> Note:
    """What the comparison says and what it does not."""
    en = "Leavers less stayers in the last wave that both answered: leaving is associated with the index so far; it is"
    en += " no effect of it. Weights of the index held fixed; Holm over the table."
    zh = "“流失者减留存者”取自双方均作答的最后一期：流失与指数相关联，并非由其引起。指数权重视为固定；全表 Holm 校正。"
    return note("N-LEFT", en, zh)


@text.register
def _(value: Attrition, lang: str = "en") -> str:
    """Both tables and the notes."""
    counts = shown(Text("Attrition", "流失").say(lang), value.table, (), lang)
    title = Text("Leavers and stayers", "流失者与留存者").say(lang)
    return counts + "\n" + shown(title, value.leavers, value.notes, lang)
