"""The customer lifecycle: how many customers are at each stage, how they move between waves, how soon they are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from csi.behaviour.absorption import ahead
from csi.behaviour.homogeneity import Homogeneity, homogeneity
from csi.behaviour.lifecycle_rows import came_back, followed, rows_of_stages, texts_of
from csi.behaviour.lifecycle_words import (
    ALL,
    HEADINGS,
    WORDS,
    churn_sentences,
    homogeneity_sentences,
    move_sentences,
    size_sentences,
)
from csi.behaviour.loyalty_types import absent
from csi.behaviour.transitions import Moves, Shares, counts_of, design_of, flags_of, moves_of, shares
from csi.display import Shown, text
from csi.errors import Note, Problems, Text, note
from csi.estimate.given import check_panel
from csi.inference.settings import check_settings
from csi.measures.shown import based, told
from csi.measures.tidy import with_reasons
from csi.moments.stack import Ints
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.keyed import grouping, rows_of, stacked
from csi.survey.panel import Panel

WAVES_AHEAD = 4
"""Shares that are gone are told for so many waves ahead."""


@dataclass(frozen=True, slots=True, repr=False)
class Lifecycle(Shown):
    """Stages, moves between them, and how soon customers are gone.

    Attributes:
        table: sizes: key columns, wave, stage, n (customers of the wave), count, share, std_error, conf_low, conf_high
            (Wilson, by the design), flag, reason, reason_zh (of few answers).
        transitions: key columns, from_wave, to_wave ("all" for all pairs together), origin, goal, n (customers who were
            at the origin and are seen again), count, share (of the row), std_error, conf_low, conf_high, expected
            (count if all pairs were alike), flag, reason, reason_zh; no rows where nobody can be followed.
        tests: homogeneity over pairs of waves: key columns, origin ("all" for all together), n, pairs, x2, g2, df,
            p_value, p_g2, how ("chi-square", "same margins", "design"), least, flag, reason, reason_zh.
        ahead: key columns, origin, quantity ("absorbed", "time"), waves (1 to 4, 0 for the mean time), at_risk (moves
            from the stage), n (the same, or moves from a stage on the way where fewer: what the base is held to),
            value, std_error, conf_low, conf_high, flag, reason, reason_zh; no rows without an absorbing stage.
        stages, waves: in order. absorbing: the stage that is not left, "" for none. labels, level, sentences, notes.
    """

    table: pl.DataFrame
    transitions: pl.DataFrame
    tests: pl.DataFrame
    ahead: pl.DataFrame
    stages: tuple[str, ...]
    waves: tuple[str, ...]
    absorbing: str
    labels: Mapping[str, Text]
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Lifecycle, lang: str = "en") -> str:
    """Sentences, sizes, moves of all waves together, tests, who is gone when, notes."""
    words = {k: t.say(lang) for k, t in {**WORDS, **value.labels, "all": ALL}.items()}
    lines = [*(s.say(lang) for s in value.sentences), "", based(_said(value.table, words), HEADINGS, lang), ""]
    moved = value.transitions.filter(from_wave="all").drop("from_wave", "to_wave", "expected")
    for frame in (moved, value.tests, value.ahead.drop("n")):
        if frame.height:
            lines += [based(_said(frame, words), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def _said(frame: pl.DataFrame, words: Mapping[str, str]) -> pl.DataFrame:
    """Names in words."""
    named = [c for c in ("stage", "origin", "goal", "how", "quantity") if c in frame.columns]
    return frame.with_columns(pl.col(c).replace(words) for c in named)


def lifecycle(
    panel: Panel,
    stages: Sequence[str] = (),
    *,
    absorbing: str = "",
    only: Mapping[str, Sequence[str]] | None = None,
    labels: Mapping[str, Text] | None = None,
    by: Sequence[str] = (),
    where: Mapping[str, str] | None = None,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
    seed: int = 1,
) -> Lifecycle:
    """Sizes of the stages by wave, moves between waves with row intervals and a test of homogeneity, churn.

    Customers are followed by respondent (and brand) from each wave to the next; moves carry the weight of the first of
    the two waves. Where customers do not come again (a repeated cross-section) only sizes are told. Shares ahead take
    it that the moves of all pairs of waves together go on and that a move depends on the present stage alone.

    Parameters:
        panel: answers with columns stage, wave, respondent. stages: their names, in order; those found, sorted, when
            left out. absorbing: the stage that nobody leaves, such as "churned". only: construct or item -> the stages
            at which it can be asked; answers elsewhere are refused. labels: names of stages in words.
        by: key columns that make cells, besides wave. where: keep only rows with these key values.
        level: of the intervals, 1 - level of the tests. small, flagged: rows of fewer customers are withheld, or
            marked; rows below `small` take no part in tests. seed: of tests by random tables.

    Returns:
        A `Lifecycle`.

    Raises:
        Problems: E-STAGE (no column, unknown stages, an absorbing stage that is left, everybody gone, one customer),
            E-DESIGN (answers at a stage that cannot have them), E-DUPLICATE, E-ROLE, E-BY, E-SETTING.

    Source:
        Anderson & Goodman (1957), Annals of Mathematical Statistics 28, 89-110; Kemeny & Snell (1976), Finite Markov
        Chains, ch. 3.

    Example:
        >>> from csi.survey.codebook import Codebook
        >>> first, then = ["new"] * 60 + ["regular"] * 40, ["new"] * 30 + ["regular"] * 60 + ["gone"] * 10
        >>> who = [str(i) for i in range(100)] * 2
        >>> frame = pl.DataFrame({"respondent": who, "wave": ["1"] * 100 + ["2"] * 100, "stage": first + then})
        >>> panel = Panel(frame, Codebook((), {}, {}), frame.select(), ("1", "2"))
        >>> found = lifecycle(panel, ["new", "regular", "gone"], absorbing="gone")
        >>> found.transitions.filter(from_wave="all", origin="regular").select("goal", "share").rows()
        [('new', 0.0), ('regular', 0.75), ('gone', 0.25)]
        >>> found.ahead.filter(quantity="time").select("origin", "value").rows()
        [('new', 6.0), ('regular', 4.0)]
    """
    check_panel(panel)
    check_settings(level, 1000, seed)
    bases = Bases(small, flagged)
    frame, waves, order, notes = rows_of_stages(panel, stages, absorbing, only or {}, where or {})
    keys = grouping([c for c in frame.columns if c not in ("wave", "stage")], by)
    cells = frame.select(keys).unique(maintain_order=True).sort(keys) if keys else pl.DataFrame()
    parts = [rows_of(frame, c) for c in (cells.iter_rows(named=True) if keys else [{}])]
    table = bases.withheld(stacked(cells, [_sizes(p, waves, order, level) for p in parts]))
    can, said = followed(frame, waves, small)
    every = [moves_of(p.drop_nulls("respondent"), waves, order) for p in parts] if can else []
    _stays(every, order, absorbing)
    moved = _below(cells, [_transitions(m, waves, order, absorbing, level, small) for m in every], bases, _MOVES)
    tests = _below(cells, [_tests(m, order, absorbing, small, seed) for m in every], bases, _TESTS)
    gone = _below(cells, [_gone(m, order, absorbing, level, small) for m in every if absorbing], bases, _GONE)
    named = texts_of(order, labels or {})
    sentences = (
        *bases.sentences(table),
        *size_sentences(table, keys, named, waves, level),
        *move_sentences(moved, keys, named),
        *homogeneity_sentences(tests, keys, 1 - level),
        *churn_sentences(gone, keys, named, absorbing),
    )
    few = (*bases.notes(table, [*keys, "wave"], named), *_few(moved, bases, keys, named))
    told_ = (*notes, *said, *(_meaning(absorbing) if every else ()), *few)
    return Lifecycle(table, moved, tests, gone, order, waves, absorbing, named, level, sentences, told_)


_MOVES = (
    "from_wave",
    "to_wave",
    "origin",
    "goal",
    "n",
    "count",
    "share",
    "std_error",
    "conf_low",
    "conf_high",
    "expected",
)
_TESTS = ("origin", "n", "pairs", "x2", "g2", "df", "p_value", "p_g2", "how", "least")
_GONE = ("origin", "quantity", "waves", "at_risk", "n", "value", "std_error", "conf_low", "conf_high")


def _below(cells: pl.DataFrame, frames: Sequence[pl.DataFrame], bases: Bases, columns: Sequence[str]) -> pl.DataFrame:
    """Cells below each other, small rows withheld; an empty frame with these columns where there are none."""
    if frames:
        return bases.withheld(stacked(cells, frames))
    names = [*cells.columns, *columns, "flag", "reason", "reason_zh"]
    kind: dict[str, type[pl.DataType]] = dict.fromkeys(("n", "at_risk", "count", "pairs", "df", "waves"), pl.Int64)
    kind |= dict.fromkeys(
        ("from_wave", "to_wave", "origin", "goal", "quantity", "how", *names[-3:], *cells.columns), pl.String
    )
    return pl.DataFrame(schema={c: kind.get(c, pl.Float64) for c in names})


def _few(moved: pl.DataFrame, bases: Bases, keys: Sequence[str], labels: Mapping[str, Text]) -> tuple[Note, ...]:
    """Rows of all waves together that are withheld or marked."""
    rows = moved.filter(from_wave="all").unique([*keys, "origin"], maintain_order=True)
    return bases.notes(rows.drop("goal", "from_wave", "to_wave"), keys, labels) if rows.height else ()


def _sizes(frame: pl.DataFrame, waves: Sequence[str], order: Sequence[str], level: float) -> pl.DataFrame:
    """Shares of the stages in every wave."""
    made = []
    for wave in waves:
        rows = frame.filter(wave=wave)
        codes = _codes(rows["stage"], order)
        found = shares(flags_of(codes, len(order)), *design_of(rows), level)
        head = {"wave": [wave] * len(order), "stage": list(order), "n": [rows.height] * len(order)}
        made.append(_with(head, found, rows.height))
    return pl.concat(made)


def _codes(column: pl.Series, order: Sequence[str]) -> Ints:
    """(n,) places of stages in their order."""
    place = {s: i for i, s in enumerate(order)}
    return np.array([place[v] for v in column], dtype=np.int64)


def _with(head: Mapping[str, object], found: Shares, n: int) -> pl.DataFrame:
    """Labels beside shares, with why there are none."""
    numbers = {
        "count": found.count, "share": found.share, "std_error": found.std_error, "conf_low": found.low,
        "conf_high": found.high,
    }  # fmt: skip
    made = pl.DataFrame({**head, **numbers}).with_columns(pl.col(pl.Float64).fill_nan(None))
    df = np.where(np.isfinite(found.low), 1.0, 0.0)
    return with_reasons(made, [absent(n, df)] * len(found.share))


def _origins(order: Sequence[str], absorbing: str) -> list[int]:
    """Places of the stages that are left."""
    return [i for i, s in enumerate(order) if s != absorbing]


def _transitions(
    moves: Moves, waves: Sequence[str], order: Sequence[str], absorbing: str, level: float, small: int
) -> pl.DataFrame:
    """Rows of every pair of waves and of all of them together."""
    pairs = list(pairwise(waves))
    counts = counts_of(moves, len(pairs), len(order))
    made = []
    for origin in _origins(order, absorbing):
        kept = pooling(counts[:, origin].sum(axis=1), small)
        here = moves.of((moves.origin == origin) & np.isin(moves.pair, kept))
        pooled = _row(here, order, level, ("all", "all"), order[origin])
        made.append(pooled.with_columns(pl.lit(None, dtype=pl.Float64).alias("expected")))
        for t, names in enumerate(pairs):
            one = _row(moves.of((moves.origin == origin) & (moves.pair == t)), order, level, names, order[origin])
            alike = pl.Series("expected", pooled["share"] * counts[t, origin].sum(), dtype=pl.Float64)
            made.append(one.with_columns(alike))
    found = pl.concat(made)
    return found.select(*[c for c in found.columns if c not in ("reason", "reason_zh")], "reason", "reason_zh")


def pooling(sizes: Ints, small: int) -> Ints:
    """The pairs of waves that are pooled: those that are told, so that no other can be worked out; all if none is.

    Example:
        >>> pooling(np.array([40, 12, 60]), 30).tolist(), pooling(np.array([20, 12]), 30).tolist()
        ([0, 2], [0, 1])
    """
    there = np.flatnonzero(sizes >= small)
    return there if there.size else np.flatnonzero(sizes > 0)


def _row(moves: Moves, order: Sequence[str], level: float, waves: tuple[str, str], origin: str) -> pl.DataFrame:
    """Where the customers of one origin go."""
    s, n = len(order), moves.goal.size
    found = shares(flags_of(moves.goal, s), moves.weight, moves.unit, moves.stratum, level)
    head = {"from_wave": [waves[0]] * s, "to_wave": [waves[1]] * s, "origin": [origin] * s, "goal": list(order)}
    return _with({**head, "n": [n] * s}, found, n)


def _tests(moves: Moves, order: Sequence[str], absorbing: str, small: int, seed: int) -> pl.DataFrame:
    """The test of each origin, and of all together."""
    origins = _origins(order, absorbing)
    own, whole = homogeneity(moves, origins, small, seed)
    names = [*(order[i] for i in origins), "all"]
    rows = [_test(n, t) for n, t in zip(names, [*own, whole], strict=True)]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("x2", "g2", "p_value", "p_g2", "least").cast(pl.Float64),
        pl.col("df").cast(pl.Int64),
        pl.col("how").cast(pl.String),
    )
    total = [int((moves.origin == i).sum()) for i in origins]
    frame = frame.with_columns(pl.Series("n", [*total, sum(total)]))
    return with_reasons(frame, [t.reason for t in (*own, whole)])


def _test(name: str, test: Homogeneity) -> dict[str, object]:
    """One test as a row."""
    return {
        "origin": name, "n": test.n, "pairs": test.pairs, "x2": test.x2, "g2": test.g2, "df": test.df,
        "p_value": test.p_value, "p_g2": test.p_g2, "how": test.how or None, "least": test.least,
    }  # fmt: skip


def _gone(moves: Moves, order: Sequence[str], absorbing: str, level: float, small: int) -> pl.DataFrame:
    """Shares that are gone after some waves, and the waves until then, by the moves that `_transitions` pools."""
    counts = counts_of(moves, int(moves.pair.max(initial=-1)) + 1, len(order)).sum(axis=2)
    told_of = np.zeros(counts.shape, dtype=np.bool_)
    for i in range(len(order)):
        told_of[pooling(counts[:, i], small), i] = True
    moves = moves.of(told_of[moves.pair, moves.origin])
    least = _on_the_way(moves, len(order), order.index(absorbing))
    own = np.bincount(moves.origin, minlength=len(order))
    found = ahead(moves, len(order), order.index(absorbing), WAVES_AHEAD, level)
    rows, why = [], []
    for a, i in enumerate(_origins(order, absorbing)):
        n = (int(own[i]), int(least[i]))
        for k in range(WAVES_AHEAD + 1):
            quantity, waves = ("time", 0) if k == WAVES_AHEAD else ("absorbed", k + 1)
            numbers = (float(x[a, k]) for x in (found.value, found.std_error, found.low, found.high))
            rows.append((order[i], quantity, waves, *n, *numbers))
            why.append(found.reasons[a])
    kind = {"waves": pl.Int64, "at_risk": pl.Int64, "n": pl.Int64, "origin": pl.String, "quantity": pl.String}
    frame = pl.DataFrame(rows, schema={c: kind.get(c, pl.Float64) for c in _GONE}, orient="row")
    return with_reasons(frame.with_columns(pl.col(pl.Float64).fill_nan(None)), why)


def _on_the_way(moves: Moves, stages: int, absorbing: int) -> Ints:
    """(s,) fewest moves from any stage on the way from each; what is ahead would tell of them."""
    flow = np.zeros((stages, stages), dtype=np.bool_)
    flow[moves.origin, moves.goal] = True
    reach = flow | np.eye(stages, dtype=np.bool_)
    for _ in range(stages):
        reach = reach @ reach
    size = np.bincount(moves.origin, minlength=stages)
    reach[:, absorbing] = False
    return np.array([size[row].min(initial=moves.origin.size) for row in reach], dtype=np.int64)


def _stays(every: Sequence[Moves], order: Sequence[str], absorbing: str) -> None:
    """Refuse an absorbing stage that is left.

    Raises:
        Problems: E-STAGE.
    """
    if absorbing:
        at = order.index(absorbing)
        count = sum(int(((m.origin == at) & (m.goal != at)).sum()) for m in every)
        if count:
            raise Problems([came_back(absorbing, count)])


def _meaning(absorbing: str) -> tuple[Note, ...]:
    """What moves and what is ahead may be read as."""
    en = "shares of moves are of customers seen in both waves, with the weight of the first; they tell where customers "
    zh = "转移占比按两期均有记录的顾客计算，权重取前一期；只说明顾客去向，不说明原因。"
    zh += "各起始阶段的 p 值未就数目作校正，合计一行为总检验。"
    en += "went, not why; p-values by origin are not adjusted for their number, the row of all is the one test of them."
    notes = [note("N-MOVES", en, zh)]
    if absorbing:
        en = (
            "what is ahead takes it that moves go on as in all pairs of waves together and depend on the present stage "
        )
        zh = "前瞻数值假定转移规律与各期合计相同，且只取决于当前阶段。"
        notes.append(note("N-AHEAD", f"{en}alone.", zh))
    return tuple(notes)
