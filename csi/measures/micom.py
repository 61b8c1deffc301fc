"""Measurement invariance of composites over groups: `csi.micom(est)`.

    c_gh = w_g' R w_h / sqrt(w_g' R w_g  w_h' R w_h)   correlation over all rows of a construct's two scores

Letters: `c` groups, `p` items, `q` constructs, `B` permutations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, get_args

import numpy as np
import polars as pl

from csi.errors import Note, Problem, Problems, note, one_of, problem, reason
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.inference.adjust import holm
from csi.inference.permutation import Permuted, Statistic, exceedance
from csi.measures.blocks import correlations, item_cov
from csi.measures.compared import (
    Compared,
    Contests,
    check_counts,
    compared,
    contests,
    permutations_needed,
    usual_permutations,
)
from csi.measures.group_tests import spread
from csi.measures.micom_shown import Items, Micom
from csi.measures.micom_words import configural_checks, sentence
from csi.moments.stack import Array, Ints

COMPOSITION = reason(
    "R-COMPOSITION",
    "the construct is not composed alike in these groups (step 2), so a difference would not be one of the construct.",
    "该构念在这些组中的构成不同（步骤 2），差异不能解释为构念本身的差异。",
)
STEPS: Final = ("c", "mean", "variance")
UNTESTED = reason(
    "R-UNTESTED",
    "whether the construct is composed alike in these groups (step 2) could not be tested: too few permutations.",
    "置换次数过少，无法检验该构念在这些组中的构成是否相同（步骤 2）。",
)
ORDER: Final = ("none", "untested", "partial", "full")
"""Verdicts from the least; untested: no p could have been small enough."""

STEP_3: Final = (
    *("mean_difference", "mean_low", "mean_high", "p_mean", "p_mean_pair", "p_mean_holm"),
    *("log_variance_ratio", "variance_low", "variance_high", "p_variance", "p_variance_pair", "p_variance_holm"),
)


def micom(
    est: Estimate,
    permutations: int | None = None,
    seed: int = 1,
    *,
    alpha: float = 0.05,
    items: Items = "standardised",
    anyway: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Micom:
    """Do the groups' composites measure the same? Three steps; any number of groups.

    Step 1 (configural): same items, model, settings and treatment of data, and what of that was checked. Step 2
    (compositional): scores by each group's weights, over all rows, correlate as much as under exchanged rows. Step 3:
    means and log variances of the pooled scores differ no more than under exchanged rows. Steps 1 and 2 make partial
    invariance (paths may be compared), all three full invariance (groups may be pooled). Not rejected is not proven.

    Respondents (clusters) change places as a whole, within declared strata, and rows keep their weights; units with
    rows in several groups exchange them within themselves.

    With more than two groups each pair is tested as if the two were alone. A verdict rests on p adjusted by Holm over
    the pairs of its construct (with two groups there is one pair, so raw and adjusted p are the same); the verdict on a
    construct is the least of its pairs'. All groups are tested together besides: sum of 1 - c over pairs, and weighted
    squared deviations of means and log variances.

    No p is below 1 / (B + 1), and Holm multiplies it by the number of pairs: where that cannot fall below `alpha`, the
    verdict is "untested", never partial or full.

    Parameters:
        est: `csi.fit(model, data, csi.PLS(), by="group")`, a composite model. seed: of the test.
        permutations: 1000 where it is not given, or as many as the pairs of groups need (a note says how many).
        alpha: level of the tests. items: "standardised" (in standard deviations of the pooled data, so that units of
            items do not matter) or "answers" (as cSEM).
        anyway: give means and variances of constructs that fail step 2. progress: called with (done, all) now and then.

    Returns:
        A `Micom`.

    Raises:
        Problems: E-GROUPS, E-MICOM, E-EXCHANGE, E-SETTING, E-ROWS.

    Source:
        Henseler, Ringle & Sarstedt (2016), International Marketing Review 33(3):405-431. Agrees: cSEM 0.6.1
        (tests/measures/test_groups.py).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> score, noise = rng.normal(size=(80, 1)), rng.normal(size=(80, 4))
        >>> frame = pl.DataFrame(score + noise, schema=["a1", "a2", "b1", "b2"])
        >>> frame = frame.with_columns(g=pl.Series(["east", "west"] * 40))
        >>> est = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", frame, csi.PLS(), by="g")
        >>> found = csi.micom(est, permutations=199)
        >>> found.omnibus.select("construct", "invariance").rows()
        [('a', 'full'), ('b', 'full')]
    """
    check_estimate(est)
    _check(est, permutations, seed, alpha, items)
    groups = compared(est)
    n = usual_permutations(len(groups.pairs), alpha) if permutations is None else permutations
    runs = contests(groups, lambda pooled: composition(pooled, items), n, seed, progress)
    return judged(groups, runs, items=items, alpha=alpha, anyway=anyway)


def _check(est: Estimate, n: int | None, seed: int, alpha: float, items: str) -> None:
    """Settings and estimate that go with MICOM."""
    found = [*check_counts(n, seed, alpha), *one_of("items", items, get_args(Items)), *no_composites(est)]
    if found:
        raise Problems(found)


def no_composites(est: Estimate) -> list[Problem]:
    """A problem where the estimate has no weights to make scores of."""
    if est.solution.weights is not None:
        return []
    en = "invariance of composites needs outer weights; this estimate is not of composites."
    zh = "合成变量的不变性检验需要外部权重，而该估计不含合成变量。"
    do, do_zh = (
        "Fit with csi.PLS(), or use csi.invariance for factors.",
        "请用 csi.PLS() 拟合；因子模型请用 csi.invariance。",
    )
    return [problem("E-MICOM", "estimate", en, zh, do, do_zh)]


def weights_of(solution: Solution) -> Array:
    """(b, p, q) weights of every score on the standardised items; 0 for a product of scores."""
    weights = solution.item_weights
    return np.zeros((*solution.loadings.shape, len(solution.constructs))) if weights is None else weights


def composed(solution: Solution) -> Ints:
    """Positions of the constructs that are composed of items; products of scores are not.

    Example:
        >>> import csi
        >>> cor = np.full((4, 4), 0.4) + 0.6 * np.eye(4)
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> composed(csi.fit(model, csi.Moments.of(["a1", "a2", "b1", "b2"], cor, n=100), csi.PLS()).solution).tolist()
        [0, 1]
    """
    return np.flatnonzero((weights_of(solution) != 0).any(axis=(0, 1)))


def composition(pooled: Estimate, items: Items = "standardised") -> Statistic:
    """What MICOM takes of groups, given the pooled fit: `c` (B, pairs, q), `mean` and `log_variance` (B, c, q) of the
    pooled scores, `share` (B, c) of the weights; q constructs as in `composed`.
    """
    S = item_cov(pooled.moments, pooled.solution.items)[0]
    M = correlations(S) if items == "standardised" else S
    at = [pooled.moments.names.index(name) for name in pooled.solution.items]
    kept = composed(pooled.solution)
    pooled_weights = weights_of(pooled.solution)[0][:, kept] / np.sqrt(np.diagonal(S))[:, None]
    centre = pooled.moments.mean[0, at]

    def measure(fit: Estimate, c: int) -> dict[str, Array]:
        A = weights_of(fit.solution)[:, :, kept]
        of_groups = A.reshape(-1, c, *A.shape[1:])
        scored = M @ of_groups
        size = np.sqrt((of_groups * scored).sum(axis=2))
        first, second = np.triu_indices(c, 1)
        cor = (of_groups[:, first] * scored[:, second]).sum(axis=2) / (size[:, first] * size[:, second])
        mean = (fit.moments.mean[:, at] - centre) @ pooled_weights
        variance = ((item_cov(fit.moments, fit.solution.items) @ pooled_weights) * pooled_weights).sum(axis=1)
        total = fit.moments.sum_w.reshape(-1, c)
        q = mean.shape[1]
        return {
            "c": cor,
            "mean": mean.reshape(-1, c, q),
            "log_variance": np.log(variance).reshape(-1, c, q),
            "share": total / total.sum(axis=1, keepdims=True),
        }

    return measure


def judged(groups: Compared, runs: Contests, *, items: Items, alpha: float, anyway: bool) -> Micom:
    """The noun from the permutations."""
    solution = runs.whole.pooled.solution
    names = tuple(solution.constructs[j] for j in composed(solution))
    pairs = pl.concat([_pair(names, groups, pair, run) for pair, run in runs.pairs.items()])
    pairs = _with_holm(pairs.with_columns(_rank=pl.col("construct").replace_strict(list(names), range(len(names)))))
    pairs = _verdicts(pairs.sort("_rank", maintain_order=True).drop("_rank"), alpha, len(groups.pairs))
    over = _over(names, groups, runs).join(_least_of(pairs), on="construct", how="left", maintain_order="left")
    if not anyway:
        pairs, over = (_withheld(f) for f in (pairs, over))
    hidden = bool(pairs["reason"].null_count() < pairs.height or over["reason"].null_count() < over.height)
    return Micom(
        table=pairs,
        omnibus=over,
        configural=configural_checks(groups.est, runs.whole.pooled, groups.names),
        sentences={
            row["construct"]: sentence(row, len(groups.names), alpha, runs.least) for row in over.iter_rows(named=True)
        },
        est=groups.est,
        groups=groups.names,
        sizes=groups.sizes,
        items=items,
        alpha=alpha,
        permutations=runs.whole.n,
        seed=runs.whole.seed,
        reasons={COMPOSITION.code: COMPOSITION} if hidden else {},
        notes=(
            *groups.notes,
            *_products(solution),
            *_rule(groups),
            *_untested(pairs, runs, alpha),
            *exchange_notes(groups, runs),
        ),
        least=runs.least,
    )


def _pair(names: tuple[str, ...], groups: Compared, pair: tuple[int, int], run: Permuted) -> pl.DataFrame:
    """The rows of one pair of groups: numbers and raw p."""
    mean, ratio = (_differences(run, name) for name in ("mean", "log_variance"))
    kept = run.draws["c"][run.usable, 0]
    columns = {
        "c": run.observed["c"][0],
        "c_low": np.quantile(kept, 0.05, axis=0) if len(kept) else np.full(len(names), np.nan),
        "p_c": run.p_value("c", lambda c: 1 - c)[0],
        "mean_difference": mean[0],
        "mean_low": mean[1],
        "mean_high": mean[2],
        "p_mean": mean[3],
        "log_variance_ratio": ratio[0],
        "variance_low": ratio[1],
        "variance_high": ratio[2],
        "p_variance": ratio[3],
        "_floor": np.full(len(names), max(1 / (len(kept) + 1), 1 / run.arrangements)),
    }
    first, second = (groups.names[g] for g in pair)
    labels = pl.DataFrame({"construct": names}).with_columns(group_1=pl.lit(first), group_2=pl.lit(second))
    return labels.with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns.items())


def _differences(run: Permuted, name: str) -> tuple[Array, Array, Array, Array]:
    """First group less second: observed, 2.5 % and 97.5 % of the permutations, two-sided p."""
    kept = run.draws[name][run.usable]
    drawn = kept[:, 0] - kept[:, 1]
    value = run.observed[name][0] - run.observed[name][1]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) if len(kept) else np.full((2, value.size), np.nan)
    return value, low, high, run.p_value(name, lambda x: np.abs(x[..., 0, :] - x[..., 1, :]))


def _over(names: tuple[str, ...], groups: Compared, runs: Contests) -> pl.DataFrame:
    """The tests of all groups together; with two groups the p of the pair."""
    run = runs.whole
    columns = {"c": run.observed["c"].min(axis=0), "p_c": run.p_value("c", lambda c: (1 - c).sum(axis=-2))}
    for short, name in (("mean", "mean"), ("variance", "log_variance")):
        if len(groups.names) == 2:
            columns[f"p_{short}"] = _differences(run, name)[3]
        else:
            columns[f"p_{short}"] = spread_p(run, name)
    labels = pl.DataFrame({"construct": names})
    return labels.with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns.items())


def spread_p(run: Permuted, name: str) -> Array:
    """P of the weighted squared deviations of a statistic (c, K) over groups."""
    observed = spread(run.observed[name], run.observed["share"])
    return exceedance(observed, spread(run.draws[name], run.draws["share"]), run.usable)


def _with_holm(frame: pl.DataFrame) -> pl.DataFrame:
    """Every p with its Holm form over the pairs of a construct."""
    parts = []
    for part in frame.partition_by("construct", maintain_order=True):
        adjusted = {f"p_{n}_holm": holm(part[f"p_{n}"].to_numpy()) for n in STEPS}
        parts.append(part.with_columns(pl.Series(k, v).fill_nan(None) for k, v in adjusted.items()))
    return pl.concat(parts)


def _verdicts(frame: pl.DataFrame, alpha: float, tests: int) -> pl.DataFrame:
    """Of every pair by adjusted p: "none" where step 2 is rejected, "untested" where no p could have been small enough,
    "full" where no step is rejected, else "partial".
    """
    c, mean, variance = (pl.col(f"p_{n}_holm") for n in ("c", "mean", "variance"))
    mute = (pl.col("_floor") * tests >= alpha) & c.is_not_null()
    verdict = pl.when(c < alpha).then(pl.lit("none")).when(mute).then(pl.lit("untested"))
    verdict = verdict.when((mean >= alpha) & (variance >= alpha)).then(pl.lit("full"))
    verdict = verdict.when(c.is_not_null()).then(pl.lit("partial"))
    return frame.with_columns(invariance=verdict, reason=pl.lit(None, pl.String)).drop("_floor")


def _untested(pairs: pl.DataFrame, runs: Contests, alpha: float) -> tuple[Note, ...]:
    """A warning where the permutations cannot reject, whatever the data."""
    if "untested" not in pairs["invariance"].to_list():
        return ()
    count, b = len(runs.pairs), runs.whole.n
    need = permutations_needed(count, alpha)
    en = f"{b} permutations cannot reject at {alpha:g} after Holm's adjustment over {count} pairs"
    zh = f"经 {count} 个组对的 Holm 校正后，{b} 次置换不可能在 {alpha:g} 水平拒绝"
    do, do_zh = f"; at least {need} usable ones are needed", f"；至少需要 {need} 次可用的置换"
    if need <= b:
        do, do_zh = "; too few different exchanges exist", "；不同的交换方式太少"
    tail, tail_zh = ", so that invariance is not tested, not confirmed.", "，因此不变性未经检验，并非得到确认。"
    return (note("W-MICOM-FEW", f"{en}{do}{tail}", f"{zh}{do_zh}{tail_zh}"),)


def _least_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """Per construct: the smallest p of its pairs, raw and adjusted, and the least of their verdicts."""
    rank = pl.col("invariance").replace_strict(list(ORDER), range(len(ORDER)), default=None, return_dtype=pl.Int64)
    smallest = [pl.col(f"p_{n}").min().alias(f"p_{n}_pair") for n in STEPS]
    adjusted = [pl.col(f"p_{n}_holm").min() for n in STEPS]
    found = pairs.group_by("construct", maintain_order=True).agg(*smallest, *adjusted, _least=rank.min())
    verdict = pl.col("_least").replace_strict(range(len(ORDER)), list(ORDER), default=None, return_dtype=pl.String)
    return found.with_columns(invariance=verdict, reason=pl.lit(None, pl.String)).drop("_least")


def _rule(groups: Compared) -> tuple[Note, ...]:
    """Which p the verdicts rest on, where there is more than one pair."""
    count = len(groups.pairs)
    if count == 1:
        return ()
    en = (
        f"verdicts rest on p adjusted by Holm over the {count} pairs of a construct; a "
        "construct's verdict is the least of its pairs'. Raw p are given beside."
    )
    zh = f"结论依据每个构念 {count} 个组对的 Holm 校正 p 值；构念的结论取各组对中最低者。表中同时给出原始 p 值。"
    return (note("N-MICOM-HOLM", en, zh),)


def _withheld(frame: pl.DataFrame) -> pl.DataFrame:
    """Step 3 withheld where step 2 is rejected."""
    fails = pl.col("invariance") == "none"
    hidden = [c for c in STEP_3 if c in frame.columns]
    blank = (pl.when(~fails).then(pl.col(c)).alias(c) for c in hidden)
    return frame.with_columns(*blank, reason=pl.when(fails).then(pl.lit(COMPOSITION.code)))


def _products(solution: Solution) -> tuple[Note, ...]:
    """A note on constructs that have no composition of their own."""
    names = [name for j, name in enumerate(solution.constructs) if j not in composed(solution)]
    if not names:
        return ()
    en = f"products of scores have no composition of their own; their factors are tested: {', '.join(names)}."
    return (note("N-MICOM-PRODUCT", en, f"乘积项没有自身的构成，检验其组成构念：{'、'.join(names)}。"),)


def exchange_notes(groups: Compared, runs: Contests) -> tuple[Note, ...]:
    """How rows were exchanged, and what was lost."""
    b, seed = runs.whole.n, runs.whole.seed
    out = [
        note(
            "N-PERMUTED",
            f"{b} permutations, seed {seed}; p = (k + 1) / (B + 1); rows keep their weights.",
            f"置换 {b} 次，种子 {seed}；p = (k + 1) / (B + 1)；各行保留其权重。",
        )
    ]
    if groups.est.settings.missing == "em":
        en = 'every permutation estimates absent answers again (EM), which is slow; missing="mean" is fast.'
        zh = "每次置换都重新以 EM 估计缺失，耗时较长；missing=“mean”较快。"
        out.append(note("N-PERMUTED-EM", en, zh))
    if groups.overlapping:
        en = f"{groups.overlapping} units have rows in several groups; their rows change places among themselves."
        zh = f"{groups.overlapping} 个单位在多个组中都有数据，其各行只在单位内部交换。"
        out.append(note("N-PERMUTED-WITHIN", en, zh))
    few = min(run.arrangements for run in (runs.whole, *runs.pairs.values()))
    if few < b:
        en = f"only {few:.0f} different exchanges exist, so p can hardly fall below {1 / few:.2g}."
        zh = f"仅有 {few:.0f} 种不同的交换方式，p 值难以低于 {1 / few:.2g}。"
        out.append(note("W-PERMUTED-FEW", en, zh))
    if runs.lost:
        en = f"{runs.lost} of {runs.drawn} permutations had a group without a solution and are left out."
        zh = f"{runs.drawn} 次置换中有 {runs.lost} 次某组无解，已剔除。"
        out.append(note("N-PERMUTED-LOST", en, zh))
    return tuple(out)
