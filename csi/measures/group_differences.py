"""Multigroup analysis: which paths, effects, R2, loadings and weights differ between groups: `csi.mga(est)`.

Letters: `c` groups, `K` parameters, `B` permutations or replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, Reason, Text, note, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.adjust import benjamini_hochberg, holm
from csi.inference.bootstrap import bootstrap
from csi.inference.intervals import standard_error
from csi.inference.permutation import Permuted, Statistic
from csi.measures.blocks import item_cov
from csi.measures.compared import (
    Compared,
    Contests,
    check_counts,
    compared,
    contests,
    permutations_needed,
    usual_permutations,
)
from csi.measures.group_distances import KINDS as DISTANCES
from csi.measures.group_distances import group_distances
from csi.measures.group_parameters import KINDS, Parameter, draws_of, parameters, values_of
from csi.measures.group_tests import henseler, parametric, reach, two_sided, welch
from csi.measures.group_words import sentences_of
from csi.measures.groups_shown import PRINTED, Differences
from csi.measures.micom import (
    COMPOSITION,
    ORDER,
    UNTESTED,
    composed,
    composition,
    judged,
    no_composites,
    spread_p,
    weights_of,
)
from csi.measures.micom_shown import Micom
from csi.moments.stack import Array

DEPENDENT = reason(
    "R-DEPENDENT",
    "units have rows in several groups, so tests of independent groups (Henseler, parametric, Welch) do not apply.",
    "部分单位在多个组中都有数据，独立组检验（Henseler、参数、Welch）不适用。",
)
MOST_PERMUTATIONS = 5000
"""Not more than this where the number is not given, unless the invariance of the composites needs them."""

P_VALUES: Final = ("p_permutation", "p_holm", "p_bh", "p_henseler", "p_parametric", "p_welch")


def mga(
    est: Estimate,
    permutations: int | None = None,
    seed: int = 1,
    *,
    bootstraps: int = 1000,
    alpha: float = 0.05,
    micom: Micom | None = None,
    anyway: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Differences:
    """Compare the paths, total effects, R2, loadings and weights of groups, after the invariance of their composites.

    MICOM comes first, from the same permutations, and is printed first. What rests on a construct that fails its step 2
    (or that so few permutations cannot test) is withheld, pair by pair, unless `anyway`: a path rests on all predictors
    of its outcome, a total effect on those of every outcome on its chains, a distance on every construct.

    Tests of a difference: by permutation (respondents exchanged between the two groups; exact where they are
    exchangeable), Henseler's (bootstrap), the parametric t test with equal and Welch's with unequal error variances
    (bootstrap standard errors). Over more than two groups: permutation of the weighted squared deviations and of the
    range. Over whole groups: permutation of the mean distance of implied correlations.

    In the null study (tests/slow/groups_null.md) permutation tests hold their level for every kind of parameter; the
    others hold it for paths, reject R2 up to 6.3 % and loadings and weights only 0.7 to 3.2 % of the time at 5 %.

    Sarstedt, Henseler & Ringle's (2011) omnibus test exchanges bootstrap replicates, whose number is chosen by the user
    and whose p goes to zero with it; here respondents are exchanged.

    Parameters:
        est: `csi.fit(model, data, csi.PLS(), by="group")`. seed: as in `csi.micom`.
        permutations: 1000, or as many as Holm's families of paths, total effects and R2 need (up to 5000).
        bootstraps: resamples for the other tests, unless `est` has its own; 0 leaves those tests out.
        alpha: level of the tests. micom: that of the same groups, when it was run before with settings of its own.
        anyway: give what rests on constructs that fail step 2. progress: called with (done, all) now and then.

    Returns:
        A `Differences`.

    Raises:
        Problems: E-GROUPS, E-MICOM, E-EXCHANGE, E-SETTING, E-ROWS.

    Source:
        Chin & Dibbern (2010); Henseler, Ringle & Sinkovics (2009); Keil et al. (2000); Klesel et al. (2019), Internet
        Research 29(3):464-477. Agrees: seminr 2.3.4 (tests/measures/test_groups.py); null study in tests/slow.

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> frame = pl.DataFrame(rng.normal(size=(80, 1)) + rng.normal(size=(80, 4)), schema=["a1", "a2", "b1", "b2"])
        >>> frame = frame.with_columns(g=pl.Series(["east", "west"] * 40))
        >>> est = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", frame, csi.PLS(), by="g")
        >>> found = csi.mga(est, permutations=199, bootstraps=0)
        >>> found.table.filter(kind="path").select("lhs", "rhs", "invariance").row(0)
        ('b', 'a', 'full')
    """
    _check(est, permutations, bootstraps, seed, alpha)
    groups = compared(est)
    chosen = parameters(groups.est)
    if micom is not None:
        _check_same(micom, groups)
    n = _usual(groups, chosen, alpha) if permutations is None else permutations
    runs = contests(groups, lambda pooled: _statistic(pooled, chosen), n, seed, progress)
    gate = micom or judged(groups, runs, items="standardised", alpha=alpha, anyway=anyway)
    boot = _resampled(est, groups, bootstraps, seed)
    table, over = _pairs(groups, runs, chosen, boot, gate), _over(groups, runs, chosen, gate)
    table, over = (_withheld(frame, anyway=anyway) for frame in (table, over))
    return Differences(
        micom=gate,
        table=table,
        omnibus=over,
        distances=_distances(groups, runs, gate, anyway=anyway),
        sentences=sentences_of(table, over, alpha, runs.whole.n),
        alpha=alpha,
        permutations=runs.whole.n,
        replicates=0 if boot is None or boot.replicates is None else boot.replicates.n,
        seed=seed,
        reasons=_reasons(table, over, groups, bootstraps),
        notes=tuple(dict.fromkeys((*gate.notes, *_notes(boot), *_mute(table, runs.whole.n, alpha)))),
    )


def _usual(groups: Compared, chosen: Sequence[Parameter], alpha: float) -> int:
    """As many permutations as the verdicts of MICOM need, and the largest printed family of differences while that is
    no more than `MOST_PERMUTATIONS`.
    """
    pairs = len(groups.pairs)
    largest = max((pairs * sum(p.kind == kind for p in chosen) for kind in PRINTED), default=0)
    enough = min(usual_permutations(largest, alpha), MOST_PERMUTATIONS)
    return max(usual_permutations(pairs, alpha), enough)


def _mute(table: pl.DataFrame, n: int, alpha: float) -> tuple[Note, ...]:
    """A warning that names the kinds whose family is too large for the permutations to reject anything."""
    told = {kind: table.filter(pl.col("kind") == kind) for kind in KINDS}
    counts = {kind: rows.height for kind, rows in told.items() if rows["p_holm"].count()}
    mute = {kind: m for kind, m in counts.items() if m / (n + 1) >= alpha}
    if not mute:
        return ()
    listed = ", ".join(f"{KINDS[k].en} ({m} tests: {permutations_needed(m, alpha)})" for k, m in mute.items())
    listed_zh = "、".join(f"{KINDS[k].zh}（{m} 项检验：{permutations_needed(m, alpha)} 次）" for k, m in mute.items())
    en = f"{n} permutations cannot reject any single difference at {alpha:g} after Holm's correction where a family is"
    en += f" large; at least so many are needed: {listed}. The tests over all groups and the raw p can be read."
    zh = f"族过大时，{n} 次置换经 Holm 校正后不可能在 {alpha:g} 水平拒绝任何一项差异；至少需要：{listed_zh}。"
    return (note("W-MGA-FEW", en, f"{zh}可阅读全部组合在一起的检验与原始 p 值。"),)


def _check(est: Estimate, n: int | None, bootstraps: int, seed: int, alpha: float) -> None:
    """Settings and estimate that go with the comparison."""
    check_estimate(est)
    found = [*check_counts(n, seed, alpha), *no_composites(est)]
    if bootstraps and bootstraps < 100:
        en, zh = f"{bootstraps} resamples are too few for standard errors.", f"{bootstraps} 次重抽样不足以给出标准误。"
        do, do_zh = "Use at least 100, or 0 for permutation tests alone.", "请至少使用 100 次；0 表示只做置换检验。"
        found.append(problem("E-BOOT", "bootstraps", en, zh, do, do_zh))
    if found:
        raise Problems(found)


def _check_same(micom: Micom, groups: Compared) -> None:
    """The invariance given is that of these groups and constructs, and of the same scores of the same answers."""
    solution = groups.est.solution
    constructs = {solution.constructs[j] for j in composed(solution)}
    do = Text("Leave micom= out.", "请去掉 micom=。")
    if (micom.groups, micom.sizes, set(micom.omnibus["construct"])) != (groups.names, groups.sizes, constructs):
        en = f"it is of other groups or constructs ({', '.join(micom.groups[:5])})."
        zh = f"它来自其他分组或构念（{'、'.join(micom.groups[:5])}）。"
        raise Problems([Problem("E-MICOM", "micom", Text(en, zh), do)])
    if not _same_scores(micom.est, groups.est):
        en = "it is of another fit: items, answers or outer weights differ (another weighting scheme, say)."
        zh = "它来自另一次拟合：题项、回答或外部权重不同（例如权重方案不同）。"
        raise Problems([Problem("E-MICOM", "micom", Text(en, zh), do)])


def _same_scores(one: Estimate, other: Estimate) -> bool:
    """Whether two fits of the same groups score the same answers alike; consistent PLS scores as PLS does."""
    if one.solution.items != other.solution.items or one.solution.constructs != other.solution.constructs:
        return False
    means = (e.moments.mean[:, [e.moments.names.index(i) for i in e.solution.items]] for e in (one, other))
    covs = (item_cov(e.moments, e.solution.items) for e in (one, other))
    weights = (weights_of(e.solution) for e in (one, other))
    return all(np.allclose(x, y, rtol=1e-9, atol=1e-9) for x, y in (tuple(means), tuple(covs), tuple(weights)))


def _statistic(pooled: Estimate, chosen: Sequence[Parameter]) -> Statistic:
    """What is taken of every permutation: that of MICOM, the parameters, the distances."""
    of_micom = composition(pooled)

    def measure(fit: Estimate, c: int) -> Mapping[str, Array]:
        values = values_of(chosen, fit.values, fit.solution)
        return {
            **of_micom(fit, c),
            "values": values.reshape(-1, c, len(chosen)),
            "distances": group_distances(fit, c),
        }

    return measure


def _resampled(est: Estimate, groups: Compared, bootstraps: int, seed: int) -> Estimate | None:
    """The groups with replicates; none where their units overlap or none are wanted."""
    if groups.overlapping or not bootstraps:
        return None
    if groups.est is est and est.replicates is not None:
        return est
    return bootstrap(groups.est, bootstraps, seed)


def _labels(chosen: Sequence[Parameter]) -> pl.DataFrame:
    """Kind, lhs and rhs of every parameter."""
    return pl.DataFrame([(p.kind, p.lhs, p.rhs) for p in chosen], schema=["kind", "lhs", "rhs"], orient="row")


def _pairs(
    groups: Compared, runs: Contests, chosen: Sequence[Parameter], boot: Estimate | None, gate: Micom
) -> pl.DataFrame:
    """All parameters of all pairs."""
    replicates = None if boot is None else boot.replicates
    draws = None if replicates is None else draws_of(chosen, replicates)
    units = groups.sizes if replicates is None else tuple(int(n) for n in replicates.units)
    parts = []
    for (g, h), run in runs.pairs.items():
        first, second = run.observed["values"]
        columns = {
            "estimate_1": first,
            "estimate_2": second,
            "difference": first - second,
            "p_permutation": run.p_value("values", lambda x: np.abs(x[..., 0, :] - x[..., 1, :])),
            **_of_replicates(first, second, draws, (g, h), units),
        }
        names = groups.names[g], groups.names[h]
        labels = _labels(chosen).with_columns(group_1=pl.lit(names[0]), group_2=pl.lit(names[1]))
        numbers = (pl.Series(name, v).fill_nan(None) for name, v in columns.items())
        parts.append(labels.with_columns(*numbers, invariance=_least(chosen, gate, names)))
    order = {kind: k for k, kind in enumerate(dict.fromkeys(p.kind for p in chosen))}
    places = {(p.kind, p.lhs, p.rhs): k for k, p in enumerate(chosen)}
    frame = pl.concat(parts)
    at = pl.Series("_at", [places[row] for row in frame.select("kind", "lhs", "rhs").iter_rows()])
    kind = pl.col("kind").replace_strict(list(order), list(order.values()), return_dtype=pl.Int64)
    frame = frame.with_columns(at, _kind=kind).sort("_kind", "_at", maintain_order=True).drop("_kind", "_at")
    return _adjusted(frame, "p_permutation")


def _of_replicates(
    first: Array, second: Array, draws: Array | None, pair: tuple[int, int], units: Sequence[int]
) -> dict[str, Array]:
    """P of Henseler's, the parametric and Welch's test from bootstrap replicates; NaN without.

    Parameters:
        units: (c) respondents or clusters of each group, which the degrees of freedom count.
    """
    if draws is None:
        return dict.fromkeys(("p_henseler", "p_parametric", "p_welch"), np.full(first.shape, np.nan))
    g, h = pair
    se = standard_error(draws[:, g]), standard_error(draws[:, h])
    n = float(units[g]), float(units[h])
    return {
        "p_henseler": two_sided(henseler(first, second, draws[:, g], draws[:, h])),
        "p_parametric": parametric(first - second, se, n),
        "p_welch": welch(first - second, se, n),
    }


def _over(groups: Compared, runs: Contests, chosen: Sequence[Parameter], gate: Micom) -> pl.DataFrame:
    """All parameters over more than two groups."""
    run = runs.whole
    observed, share = run.observed["values"], run.observed["share"]
    columns = {
        "spread": (share[:, None] * (observed - share @ observed) ** 2).sum(axis=0),
        "range": reach(observed),
        "p_spread": spread_p(run, "values"),
        "p_range": run.p_value("values", reach),
    }
    numbers = (pl.Series(name, v).fill_nan(None) for name, v in columns.items())
    frame = _labels(chosen).with_columns(*numbers, invariance=_least(chosen, gate, None))
    return _adjusted(frame.clear() if len(groups.names) == 2 else frame, "p_spread")


def _adjusted(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Holm's and Benjamini-Hochberg's form of a p, over the rows of each kind."""
    empty = frame.with_columns(pl.lit(None, pl.Float64).alias(c) for c in ("p_holm", "p_bh"))
    parts = [empty.clear()]
    for part in frame.partition_by("kind", maintain_order=True):
        p = part[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        both = (pl.Series("p_holm", holm(p)).fill_nan(None), pl.Series("p_bh", benjamini_hochberg(p)).fill_nan(None))
        parts.append(part.with_columns(*both))
    front = frame.columns[: frame.columns.index(name) + 1]
    return pl.concat(parts).select(*front, "p_holm", "p_bh", *(c for c in frame.columns if c not in front))


def _least(chosen: Sequence[Parameter], gate: Micom, pair: tuple[str, str] | None) -> pl.Series:
    """The least invariance of the constructs each parameter rests on; null for those that rest on none."""
    frame = gate.omnibus
    if pair is not None:
        frame = gate.table.filter(pl.col("group_1") == pair[0], pl.col("group_2") == pair[1])
    known = dict(frame.select("construct", "invariance").iter_rows())
    found = [[ORDER.index(known[c]) for c in p.needs if known.get(c)] for p in chosen]
    return pl.Series([ORDER[min(f)] if f else None for f in found], dtype=pl.String)


def _withheld(frame: pl.DataFrame, *, anyway: bool) -> pl.DataFrame:
    """Numbers that rest on a construct failing step 2, or not tested, are absent, with the reason's code."""
    why = pl.col("invariance").replace_strict(_SHUT, default=None, return_dtype=pl.String)
    if anyway:
        why = pl.lit(None, pl.String)
    numbers = [c for c in frame.columns if frame.schema[c].is_float()]
    blank = (pl.when(why.is_null()).then(pl.col(c)).alias(c) for c in numbers)
    return frame.with_columns(*blank, reason=why)


_SHUT: Final = {"none": COMPOSITION.code, "untested": UNTESTED.code}
"""Verdicts that withhold, and why."""


def _distances(groups: Compared, runs: Contests, gate: Micom, *, anyway: bool) -> pl.DataFrame:
    """Distances of all groups, and of every pair where there are more than two; withheld where a construct fails."""
    contested: list[tuple[str | None, str | None, Permuted]] = [(None, None, runs.whole)]
    if len(groups.names) > 2:
        contested += [(groups.names[g], groups.names[h], run) for (g, h), run in runs.pairs.items()]
    rows = [
        (first, second, what, how, float(value), float(p))
        for first, second, run in contested
        for (what, how), value, p in zip(DISTANCES, run.observed["distances"], run.p_value("distances"), strict=True)
    ]
    text = dict.fromkeys(("group_1", "group_2", "compared", "distance"), pl.String)
    frame = pl.DataFrame(rows, schema=text | dict.fromkeys(("value", "p_value"), pl.Float64), orient="row")
    least = [_worst(gate, first, second) for first, second in frame.select("group_1", "group_2").iter_rows()]
    frame = frame.with_columns(pl.col("value", "p_value").fill_nan(None), invariance=pl.Series(least, dtype=pl.String))
    return _withheld(frame, anyway=anyway)


def _worst(gate: Micom, first: str | None, second: str | None) -> str | None:
    """The least verdict on any construct, of two groups or over all."""
    frame = gate.omnibus
    if first is not None:
        frame = gate.table.filter(pl.col("group_1") == first, pl.col("group_2") == second)
    known = [ORDER.index(v) for v in frame["invariance"].drop_nulls()]
    return ORDER[min(known)] if known else None


def _reasons(table: pl.DataFrame, over: pl.DataFrame, groups: Compared, bootstraps: int) -> dict[str, Reason]:
    """Why numbers are absent."""
    found = [DEPENDENT] if groups.overlapping and bootstraps else []
    codes = {c for f in (table, over) for c in f["reason"].drop_nulls()}
    return {r.code: r for r in [*(r for r in (COMPOSITION, UNTESTED) if r.code in codes), *found]}


def _notes(boot: Estimate | None) -> tuple[Note, ...]:
    """How p-values are adjusted, and what the bootstrap says of itself."""
    en = "p_holm and p_bh count all rows of a kind (paths, total effects, ...) as one family."
    family = note("N-FAMILY", en, "p_holm 与 p_bh 以同一类（路径、总效应等）的全部行为一族。")
    if boot is None or boot.replicates is None:
        return (family,)
    n, seed = boot.replicates.n, boot.replicates.seed
    en = f"Henseler's, the parametric and Welch's test use {n} resamples, seed {seed}."
    told = note("N-RESAMPLED", en, f"Henseler、参数与 Welch 检验使用 {n} 次重抽样，种子 {seed}。")
    lost = [x for x in boot.notes if "replicate" in x.text.en or "resample" in x.text.en]
    return (family, told, *lost)
