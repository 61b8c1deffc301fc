"""Whether cells may be compared: `csi.comparable(index)`, a verdict and an effect in points for every difference.

Letters: `c` cells, `g` cells of one set, `m` pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from csi.errors import Problem, Problems, Reason, Text, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_kind
from csi.measures.compared import check_counts, permutations_needed, usual_permutations
from csi.sem.estimator import SEM
from csi.tracking.contrasts import holm, step_levels
from csi.tracking.gate_ladder import Climbed, climb
from csi.tracking.gate_micom import FEW, UNSETTLED, Composed, Composer
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
    keys = None if between is None else [between] if isinstance(between, str) else list(between)
    (found,) = comparables(
        [(source, keys)], construct, alpha=alpha, small=small, ordered=ordered, formed=formed, where=where, rule=rule,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    return found


def comparables(
    sources: Sequence[tuple[Estimate | Index, Sequence[str] | None]],
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
    labels: Mapping[str, Text] | None = None,
) -> tuple[Comparable, ...]:
    """As `comparable`, of several indices with the keys compared in each, such as brands and waves by brand and wave,
    languages by language; Holm's correction counts the sets of all of them. Notes call cells by `labels`.

    Raises:
        Problems: as `comparable`.
    """
    _check(alpha, rule, permutations, seed)
    names = None if construct is None else [construct] if isinstance(construct, str) else list(construct)
    made = [_made(source, ordered, formed) for source, _ in sources]
    shared = where or {}
    sets = [
        tuple(
            one
            for one in sets_of(index_, keys, names, small, formative, rule)
            if all(one.cells_in(k, v) for k, v in shared.items())
        )
        for (index_, formative, _), (_, keys) in zip(made, sources, strict=True)
    ]
    tests = sum(one.reason is None for part in sets for one in part)
    parts = [
        Part(index_, part, ordinal, _composer(index_, tests, alpha, permutations, seed))
        for (index_, _, ordinal), part in zip(made, sets, strict=True)
    ]
    judged = judged_sets(parts, alpha)
    every = [one for found in judged for one in found]
    return tuple(
        Comparable.of(
            part.index, found, alpha, gate_notes(found, alpha, sum(one.tested for one in every), labels), small
        )
        for part, found in zip(parts, judged, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The sets of one index, what is ordinal of them, and what composes them."""

    index: Index
    sets: tuple[Cells, ...]
    ordered: tuple[str, ...]
    composer: Composer | None


def _composer(made: Index, tests: int, alpha: float, permutations: int | None, seed: int) -> Composer | None:
    """What composes the sets: the engine behind the index, with permutations enough for a family of `tests` sets."""
    if made.sample is None or made.estimated is None or made.estimated.source is None:
        return None
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


def judged_sets(parts: Sequence[Part], alpha: float) -> tuple[tuple[Judged, ...], ...]:
    """Every set of every part with its verdicts; Holm's correction counts all of them."""
    found = [(part, *_evidence(part, one)) for part in parts if part.index.sample is not None for one in part.sets]
    p_values = np.array([np.nan if isinstance(e, Reason) else e.p_value for _, _, e in found])
    adjusted, levels = holm(p_values.tolist()), step_levels(p_values, alpha)
    tests = int(np.isfinite(p_values).sum())
    out: dict[int, list[Judged]] = {id(part): [] for part in parts}
    for (part, one, e), p, level in zip(found, adjusted, levels, strict=True):
        if isinstance(e, Reason):
            judged = untested(one, e)
        elif isinstance(e, Climbed) and part.index.sample is not None:
            judged = _with_overlap(judge(part.index.sample, one, e, float(level), float(p), alpha), part.index)
        elif isinstance(e, Climbed) or part.composer is None or e.floor * tests >= alpha:
            judged = untested(one, FEW)
        else:
            judged = _with_overlap(judge_composed(part.composer, one, e, float(p), alpha), part.index)
        out[id(part)].append(judged)
    return tuple(tuple(out[id(part)]) for part in parts)


def _evidence(part: Part, one: Cells) -> tuple[Cells, Climbed | Composed | Reason]:
    """The set, less cells without a solution, and what its rule found."""
    if one.reason is not None or part.index.sample is None:
        return one, one.reason or UNSETTLED
    if one.rule == "ladder" or part.composer is None:
        return one, climb(part.index.sample, one, part.ordered)
    found = part.composer.compose(one)
    return (one, found) if isinstance(found, Reason) else found


def _with_overlap(one: Judged, made: Index) -> Judged:
    """The set with the number of respondents who answered in several of its cells."""
    return one if made.sample is None else replace(one, overlap=shared_units(made.sample, one.cells))
