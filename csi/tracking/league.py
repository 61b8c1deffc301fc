"""Brands within a wave: pairwise differences, groups that do not differ, rank intervals, the sector mean.

Letters: `k` brands of a wave, `m` pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.estimate.given import check_kind
from csi.measures.tidy import number_column
from csi.moments.stack import Array, Ints
from csi.tracking.contrasts import (
    basis_note,
    construct_place,
    contrast_df,
    contrasts,
    half_widths,
    holm,
    joint_covariance,
    pair_shares,
    t_tests,
)
from csi.tracking.gate_applied import (
    UNFAVOURABLE,
    check_gate,
    evidence_frame,
    evidence_of,
    freed,
    freed_note,
    gate_notes,
    weighed,
    withheld,
    withheld_note,
)
from csi.tracking.gate_shown import NOT_RUN, Comparable, Evidence
from csi.tracking.index import Index
from csi.tracking.places import brand_of, ranked
from csi.tracking.ranks import apart, joint_of
from csi.tracking.show import shown

Bools = npt.NDArray[np.bool_]
RankTests = Literal["holm", "max-t"]
MEDALS = ("gold", "silver", "bronze")

MANY = 60
"""More brands than this are grouped by runs of neighbours in rank."""


@dataclass(frozen=True, slots=True, repr=False)
class League(Shown):
    """The brands of one wave compared with each other.

    Attributes:
        table: one row per brand, best first; the entity's keys, n, n_effective, index, std_error, rank, rank_low,
            rank_high, evidence (the least favourable of its pairs).
        pairs: one row per pair; above, below (labels), difference, std_error, statistic, df, p_value, p_holm,
            significant, half_width, conf_low, conf_high. `half_width` is half the interval at the level of the
            test's own Holm step, so |difference| > half_width exactly where significant; conf_low and conf_high are of
            the single difference, not adjusted for the others. evidence, items, bias, bias_error: whether the brands
            are comparable, what differs and its effect in points; adjusted: the difference less that effect; reason,
            reason_zh: why there is no difference. Pairs that are comparable after freeing only have no test.
        groups: maximal sets of brands no two of which differ significantly or are not comparable (labels, best first).
        construct, wave, level: what was compared, and how surely.
    """

    table: pl.DataFrame
    pairs: pl.DataFrame
    groups: tuple[tuple[str, ...], ...]
    construct: str
    wave: str | None
    level: float
    notes: tuple[Note, ...] = ()


def pairwise(
    index: Index,
    wave: str | None = None,
    construct: str = "satisfaction",
    small: int = 0,
    ranks: RankTests = "holm",
    gate: Comparable | None = None,
    *,
    anyway: bool = False,
) -> League:
    """All differences between the brands of a wave, with Holm's correction over the pairs.

    Ranks come with the interval `1 + number significantly above` to `k - number significantly below`; all intervals
    hold at once.

    Parameters:
        index: an index of several brands. wave: which wave (not needed where there is one).
        construct: which construct. small: brands with fewer rows stay out.
        ranks: the tests behind rank intervals: "holm" (those of the pairs), or "max-t" (the largest of all one-sided t
            statistics under their joint distribution, in steps): about as wide, and certain of directions too.
        gate: what `csi.comparable` found of the same cells; pairs that are not comparable have no difference then, and
            leave ranks open, unless `anyway`.

    Returns:
        League; brands without an index are left out. With more than 60 brands, groups are runs of neighbours in rank.

    Raises:
        Problems: E-WAVE, E-CONSTRUCT, E-SETTING.

    Source:
        Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91(1): ranks from simultaneous tests.

    Example:
        >>> import csi
        >>> groups = {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9), "C": (8, 9, 9, 10)}
        >>> rows = [(x, x, b) for b, xs in groups.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> est = csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10))
        >>> pairwise(csi.index(est), construct="joy").groups
        (('B', 'C'), ('A',))
    """
    unknown = one_of("ranks", ranks, get_args(RankTests))
    if unknown:
        raise Problems(unknown)
    j = construct_place(index, construct)
    cells = ranked(index, j, wave, small)
    labels = [brand_of(index, int(c)) for c in cells]
    above, below = np.triu_indices(cells.size, 1)
    check_gate(gate, index)
    name = index.constructs[j]
    at = zip(cells[above].tolist(), cells[below].tolist(), strict=True)
    known = [NOT_RUN] * above.size if gate is None else [evidence_of(gate, index, name, a, b) for a, b in at]
    covariance = joint_covariance(index, j, cells) if cells.size else np.empty((0, 0))
    tests = _tests(index, j, cells, covariance, (above, below))
    known = weighed(known, tests["difference"].to_numpy())
    pairs = with_evidence(tests, known, index.level, anyway=anyway)
    differ = np.zeros((cells.size, cells.size), dtype=np.bool_)
    differ[above, below] = differ[below, above] = pairs["significant"].fill_null(value=False).to_numpy()
    names = pl.DataFrame({"above": [labels[i] for i in above], "below": [labels[i] for i in below]})
    find = do_not_differ if cells.size <= MANY else runs
    barred = _hidden(cells.size, above, below, pairs["reason"].is_not_null().to_numpy() | freed(known, anyway=anyway))
    groups = tuple(tuple(labels[i] for i in group) for group in find(differ | barred))
    joint = joint_of(index, j, cells, covariance, tests["df"].to_numpy())
    beats = np.triu(differ, 1) if ranks == "holm" else apart(joint, index.level)
    beats = beats & ~barred
    table = _ranks(index, j, cells, covariance, beats).with_columns(evidence=_least(cells.size, above, below, known))
    hidden = () if anyway else (*freed_note(pairs), *withheld_note(pairs))
    counted = _pairs_note(int(pairs["p_value"].count()), ranks)
    said = (*counted, *_runs_note(cells.size), basis_note(index), *gate_notes(gate), *hidden)
    every = pl.concat([names, pairs], how="horizontal")
    return League(table, every, groups, index.constructs[j], wave, index.level, said)


def medals(league: League, *, anyway: bool = False, named: Mapping[str, Text] | None = None) -> pl.DataFrame:
    """Gold, silver and bronze, where the first three ranks are certain.

    Parameters:
        league: from `pairwise`. anyway: give medals although rank intervals overlap. named: what brands are called
            in messages.

    Returns:
        medal, place, then the rows of the first three brands of `league.table`.

    Raises:
        Problems: E-MEDALS when a rank interval of the first three holds more than its own rank, or there are fewer.

    Example:
        >>> import csi
        >>> groups = {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9), "C": (5, 6, 5, 6)}
        >>> rows = [(x, x, b) for b, xs in groups.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10)))
        >>> medals(pairwise(made, construct="joy"))["brand"].to_list()
        ['B', 'C', 'A']
    """
    wanted, do = Text("a league", "排名结果"), Text("Give what csi.pairwise returns.", "请给出 csi.pairwise 的结果。")
    check_kind("league", league, League, wanted, do)
    first = league.table.head(len(MEDALS))
    open_ = first.filter((pl.col("rank_low") < pl.col("rank")) | (pl.col("rank_high") > pl.col("rank")))
    if first.height < len(MEDALS) or (open_.height and not anyway):
        raise Problems([_no_medals(first, open_, named or {})])
    return first.with_columns(medal=pl.Series(MEDALS)).select("medal", *first.columns)


def _no_medals(first: pl.DataFrame, open_: pl.DataFrame, named: Mapping[str, Text]) -> Problem:
    """Why there are no medals: which ranks are not certain."""
    if first.height < len(MEDALS):
        en, zh = f"only {first.height} brands are ranked.", f"参与排名的品牌只有 {first.height} 个。"
        do, do_zh = "Read the ranks with their intervals.", "请直接阅读名次及其区间。"
        return problem("E-MEDALS", "medals", en, zh, do, do_zh)
    keys = first.columns[: first.columns.index("n")]
    rows = [(" / ".join(str(r[k]) for k in keys), r["rank_low"], r["rank_high"]) for r in open_.iter_rows(named=True)]
    told = [(named.get(name, Text(name, name)), low, high) for name, low, high in rows]
    said = "; ".join(f"{name.en}: rank {low}–{high}" for name, low, high in told)
    said_zh = "；".join(f"{name.zh}：第 {low}–{high} 名" for name, low, high in told)
    en, zh = f"the first three ranks are not certain ({said}).", f"前三名并不确定（{said_zh}）。"
    do = "Publish ranks with their intervals, or ask for medals all the same (anyway)."
    return problem("E-MEDALS", "medals", en, zh, do, "请公布名次及其区间；如仍需奖牌榜，请明确要求（anyway）。")


def runs(differ: Bools) -> list[list[int]]:
    """Maximal runs of neighbours in rank in which no two differ.

    Parameters:
        differ: (k, k) symmetric, brands best first.

    Example:
        >>> runs(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool))
        [[0, 1], [1, 2]]
    """
    k, found, end = differ.shape[0], [], 0
    reach = [int(np.argmax(row)) if (row := differ[i, i:]).any() else k - i for i in range(k)]
    ends = np.minimum.accumulate(np.array([i + r for i, r in enumerate(reach)])[::-1])[::-1]
    for i in range(k):
        if ends[i] > end:
            found.append(list(range(i, int(ends[i]))))
            end = int(ends[i])
    return found


def with_evidence(pairs: pl.DataFrame, known: Sequence[Evidence], level: float, *, anyway: bool) -> pl.DataFrame:
    """Tests with their evidence; those that are not comparable have no numbers and leave Holm's family, those that are
    comparable after freeing only have no test and leave it, too.

    Parameters:
        pairs: as `tested` makes them. known: the evidence of every row. level: of the family.
    """
    known = weighed(known, pairs["difference"].to_numpy())
    hidden, in_part = [withheld(e, anyway=anyway) for e in known], freed(known, anyway=anyway)
    whole = pairs
    if any(why is not None for why in hidden) or in_part.any():
        open_ = np.array([np.nan if why is not None else 1.0 for why in hidden]) * np.where(in_part, np.nan, 1.0)
        numbers = (pairs[c].fill_null(float("nan")).to_numpy() * open_ for c in ("difference", "std_error", "df"))
        difference, std_error, df = numbers
        pairs = tested(difference, std_error, df, level, (len(df),))
        kept = ("difference", "std_error", "df", "conf_low", "conf_high")
        pairs = pairs.with_columns(
            pl.when(pl.Series(in_part)).then(whole[c]).otherwise(pl.col(c)).alias(c) for c in kept
        )
    why = {
        "reason": [None if w is None else w.text.en for w in hidden],
        "reason_zh": [None if w is None else w.text.zh for w in hidden],
    }
    reasons = pl.DataFrame(why, schema=dict.fromkeys(why, pl.String))
    beside = evidence_frame(known).with_columns(adjusted=pairs["difference"] - pl.col("bias"))
    return pl.concat([pairs, beside, reasons], how="horizontal")


def gap_changes(
    index: Index,
    brand: str,
    wave: str,
    reference: str,
    construct: str = "satisfaction",
    small: int = 0,
    gate: Comparable | None = None,
) -> pl.DataFrame:
    """How the distance of one brand to every other changed between two waves, `(I_bt - I_rt) - (I_bs - I_rs)`.

    The standard error is of the contrast over the four cells, from the joint replicates; Holm counts the rivals.

    Parameters:
        brand: whose distances. wave, reference: t and the earlier s. construct, small: as in `pairwise`.
        gate: as in `pairwise`; rivals that are not comparable with the brand in one of the waves, or after
            freeing only, have no row.

    Returns:
        One row per rival with an index in both waves: rival, then the numbers of `League.pairs`; no rows where the
        brand itself lacks one.

    Raises:
        Problems: E-WAVE, E-CONSTRUCT.

    Example:
        >>> import csi
        >>> cells = {("A", "1"): 2, ("B", "1"): 5, ("A", "2"): 4, ("B", "2"): 5}
        >>> rows = [(x + d, x + d, b, w) for (b, w), x in cells.items() for d in (0, 1, 2, 3, 1)]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand", "wave"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["brand", "wave"], scale=(1, 10)))
        >>> gap_changes(made, "A", "2", "1", "joy").select("rival", pl.col("difference").round(1)).row(0)
        ('B', 22.2)
    """
    j = construct_place(index, construct)
    now, then = ({brand_of(index, int(c)): int(c) for c in ranked(index, j, w, small)} for w in (wave, reference))
    rivals = [r for r in now if r != brand and r in then] if brand in now and brand in then else []
    name = index.constructs[j]
    for cells_ in (now, then):
        known = {r: evidence_of(gate, index, name, cells_[brand], cells_[r]) for r in rivals}
        rivals = [r for r in rivals if known[r].verdict not in {"after freeing", "not comparable"}]
    mine, theirs = ([places[brand]] * len(rivals) for places in (now, then)) if rivals else ([], [])
    gap = pair_shares(index, mine, [now[r] for r in rivals])
    before = pair_shares(index, theirs, [then[r] for r in rivals])
    found = contrasts(index, j, gap - before)
    names = pl.DataFrame({"rival": rivals}, schema={"rival": pl.String})
    return pl.concat(
        [names, tested(found.estimate, found.std_error, found.df, index.level, (len(found.df),))], how="horizontal"
    )


def do_not_differ(differ: Bools) -> list[list[int]]:
    """Maximal sets in which no two differ (Bron-Kerbosch with pivoting), ordered by their best members.

    Parameters:
        differ: (k, k) symmetric, True where two differ significantly.

    Source:
        Bron & Kerbosch (1973), Communications of the ACM 16(9), algorithm 457.

    Example:
        >>> do_not_differ(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool))
        [[0, 1], [1, 2]]
    """
    k = differ.shape[0]
    alike = [{j for j in range(k) if j != i and not differ[i, j]} for i in range(k)]
    found: list[list[int]] = []
    stack: list[tuple[set[int], set[int], set[int]]] = [(set(), set(range(k)), set())]
    while stack:
        chosen, open_, closed = stack.pop()
        if not open_ and not closed:
            if chosen:
                found.append(sorted(chosen))
            continue
        pivot = max(open_ | closed, key=lambda i: len(alike[i] & open_))
        for i in sorted(open_ - alike[pivot]):
            stack.append((chosen | {i}, open_ & alike[i], closed & alike[i]))
            open_ = open_ - {i}
            closed = closed | {i}
    return sorted(found)


def _tests(index: Index, construct: int, cells: Ints, covariance: Array, pair: tuple[Ints, Ints]) -> pl.DataFrame:
    """Tests of `I_left - I_right` with Holm's correction."""
    left, right = pair
    value = index.values[cells, construct]
    variance = np.diagonal(covariance)
    difference = value[left] - value[right]
    std_error = np.sqrt(np.maximum(variance[left] + variance[right] - 2.0 * covariance[left, right], 0.0))
    df = contrast_df(index, construct, pair_shares(index, cells[left], cells[right]))
    return tested(difference, std_error, df, index.level, (left.size,))


def tested(difference: Array, std_error: Array, df: Array, level: float, families: Sequence[int]) -> pl.DataFrame:
    """One row per test, as `League.pairs` without its labels: Holm's p-value and half width, the single interval.

    Parameters:
        families: how many tests each of them has; they stand one below the other.
    """
    tests = t_tests(difference, std_error, df, level)
    p_value = tests.p_value
    parts = [slice(stop - size, stop) for stop, size in zip(np.cumsum(families), families, strict=True)] or [
        slice(None)
    ]
    adjusted = np.concatenate([holm(p_value[f].tolist()) for f in parts])
    half_width = np.concatenate([half_widths(p_value[f], std_error[f], df[f], level) for f in parts])
    table = pl.DataFrame(
        {
            "difference": number_column(difference),
            "std_error": number_column(std_error),
            "statistic": number_column(tests.statistic),
            "df": number_column(df),
            "p_value": number_column(p_value),
            "p_holm": number_column(adjusted),
            "half_width": number_column(half_width),
            "conf_low": number_column(tests.conf_low),
            "conf_high": number_column(tests.conf_high),
        }
    )
    significant = (pl.col("p_holm") < 1.0 - level).alias("significant")
    return table.select([*table.columns[:6], significant, *table.columns[6:]])


def _ranks(index: Index, construct: int, cells: Ints, covariance: Array, beats: Bools) -> pl.DataFrame:
    """The brands best first, with ranks and rank intervals, from who stands above whom."""
    k = cells.size
    std_error = np.sqrt(np.diagonal(covariance))
    keys = [c for c in index.cells.columns if c != "wave"]
    own = index.table.filter(pl.col("construct") == index.constructs[construct])
    numbers = {
        "n": index.n_of(construct)[cells],
        "n_effective": own["n_effective"].gather(cells.tolist()),
        "index": number_column(index.values[cells, construct]),
        "std_error": number_column(std_error),
        "rank": np.arange(1, k + 1),
        "rank_low": 1 + beats.sum(axis=0),
        "rank_high": k - beats.sum(axis=1),
    }
    rows: pl.DataFrame = index.cells.select(keys)[cells.tolist()]
    return rows.with_columns([pl.Series(n, v) for n, v in numbers.items()])


def _least(k: int, above: Ints, below: Ints, known: Sequence[Evidence]) -> pl.Series:
    """The least favourable evidence of every brand's differences."""
    worst = np.zeros(k, dtype=np.int64)
    found = np.array([UNFAVOURABLE.index(e.verdict) for e in known], dtype=np.int64)
    np.maximum.at(worst, above, found)
    np.maximum.at(worst, below, found)
    return pl.Series([UNFAVOURABLE[i] for i in worst], dtype=pl.String)


def _hidden(k: int, above: Ints, below: Ints, barred: Bools) -> Bools:
    """(k, k) which pairs are withheld or have no test."""
    out = np.zeros((k, k), dtype=np.bool_)
    out[above, below] = out[below, above] = barred
    return out


def _pairs_note(tests: int, ranks: str) -> tuple[Note, ...]:
    """What Holm's correction counts together; nothing where no pair is tested."""
    if not tests:
        return ()
    en, zh = (
        f"Holm's correction counts the {tests} pairs of the wave together; ",
        f"Holm 校正以该期 {tests} 个两两比较为一族；",
    )
    if ranks == "holm":
        return (note("N-FAMILY", f"{en}rank intervals come from the same tests.", f"{zh}名次区间由同一组检验得出。"),)
    en += "rank intervals come from the largest t of all pairs (max-t)."
    return (note("N-FAMILY", en, f"{zh}名次区间由全部两两比较的最大 t 值（max-t）得出。"),)


def _runs_note(brands: int) -> tuple[Note, ...]:
    """How groups of many brands were made."""
    if brands <= MANY:
        return ()
    en = f"With more than {MANY} brands, groups without a significant difference are runs of neighbours in rank."
    return (note("N-RUNS", en, f"品牌超过 {MANY} 个时，无显著差异的组按相邻名次连续划分。"),)


@text.register
def _(value: League, lang: str = "en") -> str:
    """The ranked brands, the groups that do not differ, the notes."""
    groups = "; ".join(" = ".join(group) for group in value.groups)
    alike = note("N-GROUPS", f"Not significantly different: {groups}.", f"无显著差异：{groups}。")
    return shown(Text("League", "品牌排名").say(lang), value.table, (alike, *value.notes), lang)
