"""Prediction-oriented segmentation: groups of respondents whose own models explain the outcomes best.

Letters: `n` rows, `k` segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem, whole
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.fimix import WHAT as FIMIX
from csi.measures.fimix import design_of, outcomes_of, predictors_at
from csi.measures.fimix_frames import HEADINGS
from csi.measures.hill import Partition, Slope, climb
from csi.measures.mixture import search
from csi.measures.score_rows import rows_of, score_rows
from csi.measures.segment_criteria import PER_PREDICTOR
from csi.measures.shown import told
from csi.moments.stack import Ints, Sample

WHAT = "pos"
ROUNDS = 2000
"""Rounds of moves before a start is stopped."""


@dataclass(frozen=True, slots=True, repr=False)
class Pos(Shown):
    """A partition of the respondents; segments are numbered from the largest.

    Attributes:
        table: outcome, predictor, all (the path of everybody), segment_1, segment_2, ... (paths, each standardised in
            its segment).
        sizes: segment, share, n. r2: outcome, all, segment_1, ..., weighted (by the segments' shares).
        segments, objective (sum of the outcomes' weighted R2), one (the same of a single model), reached (how many of
            the starts ended within 1e-6 of the best), starts, seed, least.
        labels: (n,) segment of each row from 1. place: (n,) row of the data as read. sentences. notes.
    """

    table: pl.DataFrame
    sizes: pl.DataFrame
    r2: pl.DataFrame
    segments: int
    objective: float
    one: float
    reached: int
    starts: int
    seed: int
    least: int
    labels: Ints
    place: Ints
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()

    def members(self) -> pl.DataFrame:
        """Row of the data (place) and its segment."""
        return pl.DataFrame({"place": self.place, "segment": self.labels}).sort("place")


@text.register
def _(value: Pos, lang: str = "en") -> str:
    """Sizes, paths, R2, sentences, notes."""
    said = {c: t.say(lang) for c, t in HEADINGS.items()} | {"all": Text("all", "全体").say(lang)}
    frames = (value.sizes, value.table, value.r2)
    lines = [line for frame in frames for line in (table(frame, headings=said), "")]
    return "\n".join([*lines, *(s.say(lang) for s in value.sentences), *told((), value.notes, lang)])


def pos(
    est: Estimate,
    segments: int = 2,
    *,
    starts: int = 10,
    seed: int = 1,
    least: int | None = None,
    targets: Sequence[str] | None = None,
) -> Pos:
    """Prediction-oriented segmentation (PLS-POS): hill climbing on explained variance.

    Rows move to the segment whose model predicts them better, as long as the sum of the targets' R2, weighted by the
    segments' shares, rises. The first start is the mixture's (`fimix`) partition, the others are random.

    Parameters:
        est: a PLS estimate of one cell with its rows. segments: 2 or more. starts: beginnings. seed: of random ones.
        least: rows each segment keeps; ten per predictor of an outcome by default.
        targets: outcomes whose R2 counts; all of them by default.

    Returns:
        A `Pos`.

    Raises:
        Problems: E-ROWS, E-CELLS, E-PATHS, E-SEGMENTS (more segments than the rows allow), E-SETTING.

    Source:
        Becker, Rai, Ringle & Völckner (2013), MIS Quarterly 37(3), 665-694. Here rows may move in batches first, which
        leads to partitions that no single move improves in fewer steps.

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a, sign = rng.normal(size=120), np.repeat([1.0, -1.0], 60)
        >>> answers = pl.DataFrame({"a1": a, "b1": sign * a + 0.3 * rng.normal(size=120)})
        >>> found = pos(csi.fit("a =~ a1; b =~ b1; b ~ a", answers, csi.PLS()), starts=2)
        >>> found.objective > 0.8 > 0.1 > found.one
        True
    """
    check_estimate(est)
    rows_of(est, WHAT)
    rows = score_rows(est, WHAT)
    at = _targets(est, targets)
    widest = max(len(predictors_at(est, y)) for y in outcomes_of(est))
    least = PER_PREDICTOR * widest if least is None else least
    _check(segments, starts, seed, least, len(rows.scores), widest)
    slope = Slope(est, _complete(est, rows.kept), least, at)
    ends = [
        end for labels in _beginnings(slope, segments, starts, seed) if (end := climb(slope, labels, segments, ROUNDS))
    ]
    if not ends:
        raise Problems([_nothing(segments, least)])
    best = max(ends, key=lambda end: end.objective)
    reached = sum(end.objective > best.objective - 1e-6 for end in ends)
    return _result(slope, _largest_first(best, segments), rows.place, (segments, reached, starts, seed), rows.notes)


def _targets(est: Estimate, targets: Sequence[str] | None) -> tuple[int, ...]:
    outcomes = outcomes_of(est)
    found = [p for name in targets or () for p in one_of("targets", name, outcomes)]
    if found:
        raise Problems(found)
    return tuple(est.solution.constructs.index(y) for y in (targets or outcomes))


def _check(segments: int, starts: int, seed: int, least: int, n: int, widest: int) -> None:
    named = {"segments": segments, "starts": starts, "seed": seed, "least": least}
    found = [p for name, value in named.items() for p in whole(name, value)]
    if found:
        raise Problems(found)
    if segments < 2 or segments * least > n:
        en = f"{segments} segments of {least} rows or more: the {n} rows allow 2 to {max(n // least, 1)}."
        zh = f"{segments} 个细分、每个至少 {least} 行：{n} 行只允许 2 至 {max(n // least, 1)} 个。"
        do, do_zh = "Ask for fewer segments, or lower least knowingly.", "请减少细分个数，或有意识地降低 least。"
        found.append(problem("E-SEGMENTS", "segments", en, zh, do, do_zh))
    if starts < 1 or seed < 0 or least < widest + 2:
        en = f"starts is 1 or more, a seed 0 or more, least {widest + 2} or more."
        zh = f"starts 应不小于 1，种子应不小于 0，least 应不小于 {widest + 2}。"
        do, do_zh = "Use starts=10, seed=1.", "例如 starts=10, seed=1。"
        found.append(problem("E-SETTING", "starts, seed, least", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _nothing(segments: int, least: int) -> Problem:
    en = f"no start gave {segments} segments of {least} rows or more with a solution each."
    zh = f"没有任何起点能得到 {segments} 个各有解且不少于 {least} 行的细分。"
    return problem("E-SEGMENTS", "segments", en, zh, "Ask for fewer, or try more starts.", "请减少细分个数或增加起点。")


def _complete(est: Estimate, kept: Ints) -> Sample:
    """The rows that have scores, as one cell."""
    sample = rows_of(est, WHAT)
    return replace(
        sample,
        rows=sample.rows[kept],
        weight=sample.weight[kept],
        cell=sample.cell[kept],
        unit=sample.unit[kept],
        cells=sample.cells.with_columns(n=pl.lit(kept.size, dtype=pl.Int64)),
    )


def _beginnings(slope: Slope, segments: int, starts: int, seed: int) -> list[Ints]:
    """The mixture's partition, then random ones of equal sizes."""
    rows = score_rows(slope.est, FIMIX)
    found = search(design_of(slope.est, rows, intercepts=False), segments, 20, seed, 1e-6, 500)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, segments, starts])))
    drawn = [rng.permuted(np.arange(slope.n) % segments) for _ in range(starts)]
    return [found.posterior[0].argmax(axis=1), *drawn[1:]] if found.alive.any() else drawn


def _largest_first(found: Partition, segments: int) -> Partition:
    """Segments numbered from the largest."""
    order = np.argsort(-np.bincount(found.labels, minlength=segments), kind="stable")
    labels = np.argsort(order)[found.labels]
    models = found.models
    parts = (getattr(models, name)[order] for name in ("mean", "sd", "weights", "paths", "r2"))
    return replace(found, labels=labels, models=type(models)(*parts))


def _result(
    slope: Slope, best: Partition, place: Ints, asked: tuple[int, int, int, int], notes: tuple[Note, ...]
) -> Pos:
    segments, reached, starts, seed = asked
    est, names = slope.est, slope.est.solution.constructs
    numbers = [f"segment_{g + 1}" for g in range(segments)]
    pairs = [(y, x) for y in outcomes_of(est) for x in predictors_at(est, y)]
    paths = best.models.paths
    frame = pl.DataFrame(
        {
            "outcome": [y for y, _ in pairs],
            "predictor": [names[x] for _, x in pairs],
            "all": [float(est.solution.paths[0, names.index(y), x]) for y, x in pairs],
            **{c: [float(paths[g, names.index(y), x]) for y, x in pairs] for g, c in enumerate(numbers)},
        }
    )
    weight = slope.sample.weight
    share = np.array([weight[best.labels == g].sum() for g in range(segments)]) / weight.sum()
    r2 = best.models.r2[:, list(slope.targets)]
    whole = est.solution.r2[0, list(slope.targets)]
    explained = pl.DataFrame(
        {
            "outcome": [names[t] for t in slope.targets],
            "all": whole,
            **{c: r2[g] for g, c in enumerate(numbers)},
            "weighted": share @ r2,
        }
    )
    counts = np.bincount(best.labels, minlength=segments).tolist()
    sizes = pl.DataFrame({"segment": range(1, segments + 1), "share": share, "n": counts})
    one = float(whole.sum())
    return Pos(
        frame, sizes, explained, segments, best.objective, one, reached, starts, seed, slope.least, best.labels + 1,
        place, _sentences(best.objective, one, len(whole), reached, starts), (*notes, *_NOTES),
    )  # fmt: skip


def _sentences(objective: float, one: float, outcomes: int, reached: int, starts: int) -> tuple[Text, ...]:
    before, after = one / outcomes, objective / outcomes
    return (
        Text(
            f"Mean R2 of the outcomes rises from {before:.3f} to {after:.3f}; {reached} of {starts} starts came there.",
            f"各结果变量的平均 R² 由 {before:.3f} 升至 {after:.3f}；{starts} 个起点中有 {reached} 个到达该解。",
        ),
    )


_NOTES = (
    note(
        "N-POS-GAIN",
        "a search for segments raises R2 also where there are none; look at fimix's criteria for their number.",
        "即使不存在细分，搜索也会提高 R²；细分个数请参照 fimix 的准则。",
    ),
)
