"""Finite mixture segmentation of a path model: people for whom the same constructs lead to each other differently.

Letters: `n` rows, `K` segments, `M` outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problem, Problems, Reason, Text, problem, whole
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.fimix_frames import (
    EMPTIES,
    HEADINGS,
    INTERCEPT,
    criteria_frame,
    largest_first,
    paths_frame,
    r2_frame,
    sizes_frame,
)
from csi.measures.mixture import Regressions, one_segment, search
from csi.measures.score_rows import ScoreRows, score_rows
from csi.measures.segment_criteria import chosen, recommendation
from csi.measures.shown import told
from csi.moments.stack import Array, Ints

WHAT = "fimix"


@dataclass(frozen=True, slots=True, repr=False)
class Fimix(Shown):
    """Mixtures with several numbers of segments; segments are numbered from the largest.

    Attributes:
        table: segments, loglik, parameters, aic, aic3, aic4, bic, caic, hq, mdl5, en, nfi, nec, smallest (share),
            smallest_n (rows), reason (code).
        sizes: segments, segment, share, n (rows whose likeliest segment it is).
        paths: segments, segment, outcome, predictor, estimate (of the standardised scores of all).
        r2: segments, segment, outcome, r2, error_variance (r2 about zero: without intercepts scores are centred once).
        choice: the number the criteria settle on. sentences: why. posterior: segments -> (n, K).
        place: (n,) row of the data as read. starts, seed. reasons: code -> Reason. notes.
    """

    table: pl.DataFrame
    sizes: pl.DataFrame
    paths: pl.DataFrame
    r2: pl.DataFrame
    choice: int
    sentences: tuple[Text, ...]
    posterior: Mapping[int, Array]
    place: Ints
    starts: int
    seed: int
    reasons: Mapping[str, Reason]
    notes: tuple[Note, ...] = ()

    def members(self, segments: int | None = None) -> pl.DataFrame:
        """Row of the data (place), likeliest segment, and the probability of each (p_1, ...), of one solution."""
        P = self.posterior[self.choice if segments is None else segments]
        columns = {f"p_{k + 1}": P[:, k] for k in range(P.shape[1])}
        return pl.DataFrame({"place": self.place, "segment": P.argmax(axis=1) + 1, **columns}).sort("place")


@text.register
def _(value: Fimix, lang: str = "en") -> str:
    """Criteria, sentences, and the paths of the chosen solution."""
    said = {c: t.say(lang) for c, t in HEADINGS.items()}
    shown = value.table.select(c for c in value.table.columns if value.table[c].null_count() < value.table.height)
    lines = [table(shown, headings=said), "", *(s.say(lang) for s in value.sentences)]
    if value.choice > 1:
        mine = value.paths.filter(segments=value.choice).drop("segments")
        wide = mine.pivot("segment", index=["outcome", "predictor"], values="estimate", maintain_order=True)
        sizes = value.sizes.filter(segments=value.choice).drop("segments")
        lines += ["", table(sizes, headings=said), "", table(wide, headings=said)]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def fimix(
    est: Estimate,
    segments: int | Sequence[int] = (1, 2, 3, 4, 5),
    *,
    starts: int = 50,
    seed: int = 1,
    intercepts: bool = False,
    tolerance: float = 1e-7,
    max_iterations: int = 2000,
) -> Fimix:
    """Finite mixture PLS: mixtures of the model's regressions on the standardised scores, by EM.

    Starts in which a segment empties, or an error variance falls below a thousandth of the one-segment model's, are
    given up; where none is left the solution is absent with a reason. Design weights enter the likelihood.

    Parameters:
        est: a PLS estimate of one cell with its rows. segments: numbers to try. starts: random beginnings of each
            number; the best five after a short run are followed to the end. seed: of the beginnings.
        intercepts: let segments differ in their means too. tolerance: gain of lnL that counts as none.
        max_iterations: rounds of EM.

    Returns:
        A `Fimix`.

    Raises:
        Problems: E-ROWS, E-CELLS, E-SEGMENTS (a number the rows do not allow), E-SETTING, E-PATHS.

    Source:
        Hahn, Johnson, Herrmann & Huber (2002), Schmalenbach Business Review 54, 243-269; Sarstedt et al. (2011).
        A single mixture of regressions agrees with the R package mixtools within 1e-6 (tests/measures).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a, sign = rng.normal(size=120), np.repeat([1.0, -1.0], 60)
        >>> answers = pl.DataFrame({"a1": a, "b1": sign * a + 0.3 * rng.normal(size=120)})
        >>> found = fimix(csi.fit("a =~ a1; b =~ b1; b ~ a", answers, csi.PLS()), (1, 2), starts=6)
        >>> found.choice, found.sentences[0].en
        (2, 'AIC3 and CAIC agree on 2 segments.')
    """
    check_estimate(est)
    numbers = sorted({segments} if isinstance(segments, int) else set(segments))
    rows = score_rows(est, WHAT)
    design = design_of(est, rows, intercepts=intercepts)
    check(numbers, starts, seed, len(rows.scores), int(design.least))
    one = one_segment(design)
    fits = {k: one if k == 1 else search(design, k, starts, seed, tolerance, max_iterations) for k in numbers}
    best = {k: largest_first(found) for k, found in fits.items() if found.alive.any()}
    if not best:
        raise Problems([_nothing(numbers)])
    frame = criteria_frame(numbers, best, design, float(one.loglik[0]))
    terms = {y: [*([INTERCEPT] if intercepts else []), *_names(est, y)] for y in outcomes_of(est)}
    return Fimix(
        frame,
        pl.concat([sizes_frame(k, m) for k, m in best.items()]),
        pl.concat([paths_frame(k, m, terms) for k, m in best.items()]),
        pl.concat([r2_frame(k, m, terms, design) for k, m in best.items()]),
        chosen(frame)[0],
        recommendation(frame, numbers, max(len(_names(est, y)) for y in terms)),
        {k: m.posterior[0] for k, m in best.items()},
        rows.place,
        starts,
        seed,
        {} if len(best) == len(numbers) else {EMPTIES.code: EMPTIES},
        rows.notes,
    )


def _names(est: Estimate, outcome: str) -> list[str]:
    return [est.solution.constructs[k] for k in predictors_at(est, outcome)]


def _nothing(numbers: Sequence[int]) -> Problem:
    """No number asked for has a solution."""
    listed = ", ".join(map(str, numbers))
    do, do_zh = "Ask for fewer segments, or add answers.", "请减少细分个数或补充样本。"
    en, zh = f"{listed}: {EMPTIES.text.en}", f"{listed}：{EMPTIES.text.zh}"
    return problem("E-SEGMENTS", "segments", en, zh, do, do_zh)


def outcomes_of(est: Estimate) -> list[str]:
    """Constructs that others lead to.

    Raises:
        Problems: there is none.
    """
    names = [y for y in est.solution.constructs if est.model.predictors(y)]
    if not names:
        en, zh = "the model has no path, so there is nothing to differ.", "模型没有路径，无从比较差异。"
        raise Problems([problem("E-PATHS", "model", en, zh, "Add a path, such as y ~ x.", "请加上路径，例如 y ~ x。")])
    return names


def design_of(est: Estimate, rows: ScoreRows, *, intercepts: bool) -> Regressions:
    """The model's regressions on the scores of the rows."""
    names = est.solution.constructs
    y = [names.index(c) for c in outcomes_of(est)]
    one = np.ones((len(rows.scores), int(intercepts)))
    X = tuple(np.hstack([one, rows.scores[:, predictors_at(est, names[c])]]) for c in y)
    return Regressions(rows.scores[:, y], X, rows.weight * len(rows.weight) / rows.weight.sum())


def predictors_at(est: Estimate, outcome: str) -> list[int]:
    """Positions of the constructs that lead to an outcome."""
    names = est.solution.constructs
    return [names.index(x) for x in names if x in est.model.predictors(outcome)]


def check(numbers: Sequence[int], starts: int, seed: int, n: int, least: int) -> None:
    """Numbers of segments that the rows allow, and settings that make sense.

    Raises:
        Problems: E-SEGMENTS, E-SETTING.
    """
    named = [("starts", starts), ("seed", seed), *(("segments", k) for k in numbers)]
    found = [p for name, value in named for p in whole(name, value)]
    if found:
        raise Problems(found)
    most = max(n // least, 1)
    bad = [k for k in numbers if not 1 <= k <= most]
    if bad or not numbers:
        listed = ", ".join(map(str, bad)) or "none"
        en = f"{listed} segments: {n} rows allow 1 to {most}, with {least} rows or more in each."
        zh = f"细分个数 {listed}：{n} 行只允许 1 至 {most} 个（每个至少 {least} 行）。"
        found.append(problem("E-SEGMENTS", "segments", en, zh, "Ask for fewer.", "请减少细分个数。"))
    if starts < 1 or seed < 0:
        en, zh = "starts is 1 or more, a seed 0 or more.", "starts 应不小于 1，种子应不小于 0。"
        found.append(problem("E-SETTING", "starts, seed", en, zh, "Use starts=50, seed=1.", "例如 starts=50, seed=1。"))
    if found:
        raise Problems(found)
