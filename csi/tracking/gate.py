"""Whether cells may be compared: `csi.comparable(index)`, a verdict and an effect in points for every difference.

Letters: `c` cells, `g` cells of one set, `m` pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from csi.errors import Problem, Problems, Reason, Text, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_kind
from csi.measures.compared import check_counts, permutations_needed, usual_permutations
from csi.moments.stack import Sample
from csi.sem.estimator import SEM
from csi.tracking.contrasts import holm, step_levels
from csi.tracking.gate_ladder import Climbed, climb
from csi.tracking.gate_micom import FEW, Composed, Composer
from csi.tracking.gate_notes import gate_notes
from csi.tracking.gate_sets import Cells, Rule, sets_of, shared_units
from csi.tracking.gate_shown import Comparable
from csi.tracking.gate_verdicts import Judged, judge, judge_composed, untested
from csi.tracking.index import Index, index


def comparable(
    source: Estimate | Index,
    between: str | Sequence[str] | None = None,
    construct: str | Sequence[str] | None = None,
    *,
    alpha: float = 0.05,
    small: int = 30,
    ordered: Collection[str] = (),
    formed: Collection[str] = (),
    where: Mapping[str, str] | None = None,
    rule: Rule | None = None,
    permutations: int | None = None,
    seed: int = 1,
) -> Comparable:
    """May these cells be compared, and by how many points would what differs move their difference?

    Cells that differ in one key alone (the waves of a brand, the brands of a wave) form a set. The items of a construct
    are one factor in all cells of the set at once; the metric and the scalar step of the invariance ladder are scaled
    chi-square differences, p = 2 min(p_metric, p_scalar), with Holm's correction over all sets and constructs of the
    call. Where a set is rejected, loadings and intercepts are set free one at a time until the rest is not, at least
    two items of the construct staying alike. Of more than six
    cells alignment says which differ in which item. Then for each pair of cells:

        comparable        the set is not rejected, or the pair differs in nothing that was set free
        after freeing X   the pair differs in X alone; the latent comparison rests on the other items
        not comparable    fewer than two items are alike, or no single item accounts for the difference
        not tested        too few items or answers, a constant item, no solution

    Constructs that their items form, or of two items, have no such factor: their evidence, under `rule="micom"` that of
    all, is MICOM by the engine behind the index. Step 1: the same items and settings, by design. Step 2: scores by each
    cell's weights correlate as much as under exchanged rows (sum of 1 - c over pairs; the p joins Holm's family). In a
    rejected set pairs are tested alone (of more than six cells together, max-T). Intercepts are not tested; step 3 is
    the difference itself. The effect is the difference by pooled weights less that by own, with a linearised error.

    Beside every verdict stands the effect in index points: how far the published difference is from the one that
    invariant items would show, with its standard error (of the item that is set free; where nothing was rejected, of
    the one that differs most). Changes of CFI are printed as a convention, not as a test.

    Parameters:
        source: an estimate by cells, or its index (whose weights then count). between: keys, such as "wave"; by default
            all in which cells differ. construct: one or several; by default all. alpha: level of the decisions.
        small: cells with fewer rows are not tested. ordered: ordinal items.
        formed: constructs that their items form, beside those of which an estimate tells it (`<~`, mode B).
        where: key values that a set's cells share, such as {"wave": "2026Q3"}: only these sets are tested.
        rule: "ladder" or "micom" for all constructs; by default as above. permutations: 1000, or as many as Holm's
            correction over the sets needs, which are never fewer. seed: of the permutations.

    Returns:
        A `Comparable`.

    Raises:
        Problems: E-BY, E-GATE, E-CONSTRUCT, E-ROWS, E-SETTING.

    Source:
        Meredith (1993), Psychometrika 58; Byrne, Shavelson & Muthén (1989), Psychological Bulletin 105 (partial); Yuan
        & Bentler (2000) and Satorra & Bentler (2001) (scaled differences);
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4) (alignment); Henseler, Ringle & Sarstedt (2016),
        International Marketing Review 33(3) (MICOM).

    Example:
        >>> import csi, numpy as np, polars as pl
        >>> rng, rows = np.random.default_rng(1), []
        >>> for wave, shift in (("w1", 0.0), ("w2", 1.0)):
        ...     joy = rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)) + 6 + np.array([0, 0, 0, shift])
        ...     rows.append(pl.DataFrame(joy.round().clip(1, 10), schema=[*"abcd"]).with_columns(wave=pl.lit(wave)))
        >>> model = csi.Model.parse("joy =~ b + c + d; use =~ a; joy ~ use")
        >>> est = csi.fit(model, pl.concat(rows), csi.PLS(), by=["wave"], scale=(1, 10))
        >>> found = comparable(est, construct="joy")
        >>> found.pairs.select("verdict", "items").row(0)
        ('after freeing', 'd')
    """
    _check(alpha, rule, permutations, seed)
    made, formative, ordinal = _made(source, ordered, formed)
    names = None if construct is None else [construct] if isinstance(construct, str) else list(construct)
    keys = None if between is None else [between] if isinstance(between, str) else list(between)
    sets = sets_of(made, keys, names, small, formative, rule)
    shared = where or {}
    sets = tuple(one for one in sets if all(one.cells_in(k, v) for k, v in shared.items()))
    judged = judged_sets(made, sets, alpha, ordinal, _composer(made, sets, alpha, permutations, seed))
    return Comparable.of(made, judged, alpha, gate_notes(judged, alpha))


def _composer(made: Index, sets: Sequence[Cells], alpha: float, permutations: int | None, seed: int) -> Composer | None:
    """What composes the sets: the engine behind the index, with permutations enough for a family of all sets."""
    if made.sample is None or made.estimated is None or made.estimated.source is None:
        return None
    tests = sum(one.reason is None for one in sets)
    n = usual_permutations(tests, alpha) if permutations is None else permutations
    return Composer(made.estimated.source, made.sample, max(n, permutations_needed(tests, alpha)), seed)


def _made(
    source: Estimate | Index, ordered: Collection[str], formed: Collection[str]
) -> tuple[Index, tuple[str, ...], tuple[str, ...]]:
    """The index, the constructs that their items form, the ordinal items."""
    wanted = Text("an estimate or an index", "估计结果或指数")
    remedy = Text("Give what csi.fit or csi.index returns.", "请给出 csi.fit 或 csi.index 的结果。")
    check_kind("source", source, (Estimate, Index), wanted, remedy)
    made = source if isinstance(source, Index) else index(source)
    est = source if isinstance(source, Estimate) else made.estimated.source if made.estimated is not None else None
    if est is None:
        return made, tuple(formed), tuple(ordered)
    modes = dict(zip(est.solution.constructs, est.solution.modes, strict=False))
    own_way = (c.name for c in est.model.constructs if c.operator == "<~" or modes.get(c.name) == "B")
    own = est.settings.ordered if isinstance(est.settings, SEM) else ()
    return made, (*formed, *own_way), tuple(dict.fromkeys([*ordered, *own]))


def _check(alpha: float, rule: str | None, permutations: int | None, seed: int) -> None:
    """The settings."""
    found = [*_alpha(alpha), *check_counts(permutations, seed, 0.05)]
    found += [] if rule is None else one_of("rule", rule, get_args(Rule))
    if found:
        raise Problems(found)


def _alpha(alpha: float) -> list[Problem]:
    if 0 < alpha < 0.5:
        return []
    en, zh = f"alpha = {alpha:g} is no level of a test.", f"alpha = {alpha:g} 不是有效的检验水平。"
    return [problem("E-SETTING", "alpha", en, zh, "Write such as alpha=0.05.", "请写例如 alpha=0.05。")]


def judged_sets(
    made: Index, sets: Sequence[Cells], alpha: float, ordered: tuple[str, ...], composer: Composer | None = None
) -> tuple[Judged, ...]:
    """Every set with its verdicts; Holm's correction counts all of them."""
    sample = made.sample
    if sample is None:
        return ()
    found = [_evidence(sample, one, ordered, composer) for one in sets]
    p_values = np.array([np.nan if isinstance(e, Reason) else e.p_value for _, e in found])
    adjusted, levels = holm(p_values.tolist()), step_levels(p_values, alpha)
    tests = int(np.isfinite(p_values).sum())
    out = []
    for (one, e), p, level in zip(found, adjusted, levels, strict=True):
        if isinstance(e, Reason):
            out.append(untested(one, e))
        elif isinstance(e, Climbed):
            out.append(_with_overlap(judge(sample, one, e, float(level), float(p), alpha), made))
        elif composer is None or e.floor * tests >= alpha:
            out.append(untested(one, FEW))
        else:
            out.append(_with_overlap(judge_composed(composer, one, e, float(p), alpha), made))
    return tuple(out)


def _evidence(
    sample: Sample, one: Cells, ordered: tuple[str, ...], composer: Composer | None
) -> tuple[Cells, Climbed | Composed | Reason]:
    """The set, less cells without a solution, and what its rule found."""
    if one.reason is not None:
        return one, one.reason
    if one.rule == "ladder" or composer is None:
        return one, climb(sample, one, ordered)
    found = composer.compose(one)
    return (one, found) if isinstance(found, Reason) else found


def _with_overlap(one: Judged, made: Index) -> Judged:
    """The set with the number of respondents who answered in several of its cells."""
    return one if made.sample is None else replace(one, overlap=shared_units(made.sample, one.cells))
