"""Differences between cells of an index: joint standard errors, tests with design degrees of freedom, Holm.

Letters: `c` cells, `k` cells of one comparison, `m` tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from csi.errors import Note, Problems, Text, did_you_mean, note, problem
from csi.estimate.given import check_kind
from csi.inference.adjust import adjust
from csi.inference.rubin import Combined, rubin
from csi.moments.stack import Array, Ints, Sample
from csi.tracking.index import Index
from csi.tracking.index_variance import Sparse, contrast_degrees, degrees, replicate_sd

MANY = 1000
"""From so many resamples on, their number says little about a standard error."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of indices: estimate, standard error, degrees of freedom; NaN where it cannot be computed."""

    estimate: float
    std_error: float
    df: float


@dataclass(frozen=True, slots=True)
class TTest:
    """A t test that a contrast is zero, with its interval."""

    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


def construct_place(index: Index, construct: str) -> int:
    """The column of a construct; upper and lower case are one where that is unambiguous.

    Raises:
        Problems: E-CONSTRUCT for an unknown name; E-SETTING, E-SHRUNKEN for what is no index.
    """
    do = Text("Give what csi.index(est) returns.", "请给出 csi.index(est) 的结果。")
    check_kind("index", index, Index, Text("an index", "指数"), do)
    if construct in index.constructs:
        return index.constructs.index(construct)
    alike = [j for j, name in enumerate(index.constructs) if name.casefold() == construct.casefold()]
    if len(alike) == 1:
        return alike[0]
    hint = did_you_mean(construct, index.constructs)
    en, zh = f'the index has no construct "{construct}".', f"指数中没有构念“{construct}”。"
    raise Problems([problem("E-CONSTRUCT", "index", en, zh, hint.en, hint.zh)])


def joint_covariance(index: Index, construct: int, cells: Ints) -> Array:
    """(k, k) covariance of some cells' indices.

    From the replicates that are usable in all of them: shared weights and shared respondents enter by themselves.
    Without replicates, from what respondents add to the indices, through their weights too where `index.basis` is
    "linearised". Errors of links are added. Of pooled copies `W + (1 + 1/m) B`, the mean of theirs and the covariance
    between them.
    """
    if index.copies:
        return _pooled_covariance(index, construct, cells)
    error = index.linked.get(construct)
    sampling = _sampling_covariance(index, construct, cells)
    return sampling if error is None else sampling + error[np.ix_(cells, cells)]


def _pooled_covariance(index: Index, construct: int, cells: Ints) -> Array:
    """(k, k) Rubin's total covariance."""
    within = [joint_covariance(copy, construct, cells) for copy in index.copies]
    return rubin_covariance(np.stack([copy.values[cells, construct] for copy in index.copies]), within)


def rubin_covariance(values: Array, within: Sequence[Array]) -> Array:
    """(k, k) `W + (1 + 1/m) B`.

    Parameters:
        values: (m, k) of the copies. within: m times (k, k).

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys, 3.1.

    Example:
        >>> rubin_covariance(np.array([[1.0], [2.0], [3.0]]), [np.eye(1)] * 3).round(6).tolist()
        [[2.333333]]
    """
    between = np.atleast_2d(np.cov(values, rowvar=False))
    total: Array = np.mean(within, axis=0) + (1.0 + 1.0 / len(values)) * between
    return total


def _sampling_covariance(index: Index, construct: int, cells: Ints) -> Array:
    """The same without the errors of links."""
    k = cells.size
    if index.replicates is None:
        found = index.influence
        return np.full((k, k), np.nan) if found is None else found.covariance(construct, cells)
    drawn = index.replicates[:, cells, construct]
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if drawn.shape[0] < 2:
        return np.full((k, k), np.nan)
    return np.atleast_2d(np.cov(drawn, rowvar=False))


def construct_covariance(index: Index, cell: int, constructs: Ints) -> Array:
    """(k, k) covariance of some constructs' indices in one cell, from the joint replicates, else linearised."""
    if index.copies:
        within = [construct_covariance(copy, cell, constructs) for copy in index.copies]
        return rubin_covariance(np.stack([copy.values[cell, constructs] for copy in index.copies]), within)
    k = constructs.size
    if index.replicates is None and index.influence is not None and index.sample is not None:
        return index.influence.among(cell, constructs)
    drawn = np.empty((0, k)) if index.replicates is None else index.replicates[:, cell, constructs]
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    return np.full((k, k), np.nan) if drawn.shape[0] < 2 else np.atleast_2d(np.cov(drawn, rowvar=False))


def design_df(index: Index, constructs: int | Sequence[int], cells: Ints) -> float:
    """Resampling units minus strata behind some cells together; the sum over cells when the rows are unknown.

    Of the rows behind the index (see `Index.answers`); of several constructs, behind all of them. Replicate weights
    state their own.
    """
    if index.copies:
        return design_df(index.copies[0], constructs, cells)
    if index.stated_df is not None:
        return index.stated_df
    of = [constructs] if isinstance(constructs, int) else list(constructs)
    if index.sample is not None:
        return float(degrees(_behind(index, index.sample, of), cells))
    df = index.degrees_of_freedom
    return float("nan") if df is None else float(df[cells][:, of].min(axis=1).sum())


def _behind(index: Index, sample: Sample, constructs: Sequence[int]) -> Sample:
    """The rows behind the indices of some constructs."""
    return sample if index.answers is None else index.answers.domain(sample, constructs)


def contrast(index: Index, construct: int, cells: Ints, shares: Array) -> Contrast:
    """`L'I`, its standard error `sqrt(L' V L)` and design degrees of freedom.

    Parameters:
        cells: (k,) the cells that enter. shares: (k,) their coefficients L.
    """
    if index.copies:
        row = sparse.csr_matrix((shares, (np.zeros(cells.size, dtype=np.int64), cells)), (1, len(index.values)))
        found = contrasts(index, construct, row)
        return Contrast(*(float(part[0]) for part in (found.estimate, found.std_error, found.df)))
    covariance = joint_covariance(index, construct, cells)
    std_error = float(np.sqrt(np.maximum(shares @ covariance @ shares, 0.0)))
    return Contrast(float(shares @ index.values[cells, construct]), std_error, design_df(index, construct, cells))


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Many weighted sums of indices: estimate, std_error, df, each (m,); NaN where it cannot be computed."""

    estimate: Array
    std_error: Array
    df: Array


def contrasts(index: Index, construct: int, shares: Sparse) -> Contrasts:
    """`contrast` of many at once, without a matrix of cells by cells.

    Parameters:
        shares: (m, c) sparse, the coefficients of each contrast in its row; stored entries are the cells that enter.

    Example:
        >>> import csi, polars as pl
        >>> from scipy import sparse
        >>> rows = [(x, x, b) for b, xs in {"A": (1, 2, 3, 2), "B": (8, 9, 10, 9)}.items() for x in xs]
        >>> frame = pl.DataFrame(rows, schema=["a", "b", "brand"], orient="row").with_columns(c="a", d="b")
        >>> model = csi.Model.parse("use =~ a + b" + chr(10) + "joy =~ c + d" + chr(10) + "joy ~ use")
        >>> made = csi.index(csi.fit(model, frame, csi.PLS(), by=["brand"], scale=(1, 10)))
        >>> contrasts(made, 1, sparse.csr_matrix([[-1.0, 1.0]])).estimate.round(2).tolist()
        [77.78]
    """
    if index.copies:
        found = _pooled(index, construct, shares)
        return Contrasts(found.value, found.std_error, found.df)
    shares = sparse.csr_matrix(shares)
    values = index.values[:, construct]
    hole = abs(shares) @ np.isnan(values).astype(np.float64) > 0
    estimate = np.where(hole, np.nan, shares @ np.nan_to_num(values))
    variance = np.maximum(_variances(index, construct, shares), 0.0)
    return Contrasts(estimate, np.sqrt(variance), contrast_df(index, construct, shares))


def _pooled(index: Index, construct: int, shares: Sparse) -> Combined:
    """Contrasts of the copies by Rubin's rules, t with Barnard and Rubin's degrees of freedom."""
    each = [contrasts(copy, construct, shares) for copy in index.copies]
    estimate, error = (np.stack([getattr(one, name) for one in each]) for name in ("estimate", "std_error"))
    return rubin(estimate, error, np.maximum(each[0].df, 1.0))


def pair_shares(index: Index, left: Ints | Sequence[int], right: Ints | Sequence[int]) -> Sparse:
    """(m, c) sparse coefficients of the differences between cells `left` (m,) and `right` (m,)."""
    m = len(left)
    cells = np.concatenate([np.asarray(left, dtype=np.int64), np.asarray(right, dtype=np.int64)])
    entries, rows = np.repeat([1.0, -1.0], m), np.tile(np.arange(m), 2)
    return sparse.csr_matrix((entries, (rows, cells)), shape=(m, len(index.values)))


def _variances(index: Index, construct: int, shares: Sparse) -> Array:
    """(m,) variances of contrasts: of replicates that are usable in all their cells, else by influence; of links."""
    sampling, error = _sampling_variances(index, construct, shares), index.linked.get(construct)
    return sampling if error is None else sampling + np.asarray(shares.multiply(shares @ error).sum(axis=1)).ravel()


def _sampling_variances(index: Index, construct: int, shares: Sparse) -> Array:
    """The same without the errors of links."""
    if index.replicates is None:
        found = index.influence
        return np.full(shares.shape[0], np.nan) if found is None else found.variances(construct, shares)
    drawn = index.replicates[:, :, construct]
    lost = np.isnan(drawn)
    sums = np.asarray(shares @ np.where(lost, 0.0, drawn).T)
    sums[np.asarray(abs(shares).sign() @ lost.T.astype(np.float64)) > 0] = np.nan
    return np.asarray(replicate_sd(sums.T) ** 2)


def contrast_df(index: Index, construct: int, shares: Sparse) -> Array:
    """(m,) `design_df` of contrasts (m, c); of pooled copies Barnard and Rubin's, which depend on the construct."""
    if index.copies:
        return _pooled(index, construct, shares).df
    if index.stated_df is not None:
        return np.full(shares.shape[0], index.stated_df)
    if index.sample is not None:
        return contrast_degrees(_behind(index, index.sample, [construct]), shares)
    df = index.degrees_of_freedom
    return np.full(shares.shape[0], np.nan) if df is None else np.asarray(abs(shares).sign() @ df[:, construct])


def t_test(estimate: float, std_error: float, df: float, level: float) -> TTest:
    """Two-sided t test of zero and interval; NaN without a standard error or degrees of freedom.

    Example:
        >>> round(t_test(2.0, 1.0, 60.0, 0.95).p_value, 4)
        0.05
    """
    if not (std_error > 0 and df > 0):
        return TTest(*[float("nan")] * 4)
    statistic = estimate / std_error
    margin = float(special.stdtrit(df, (1.0 + level) / 2.0)) * std_error
    p_value = 2.0 * float(special.stdtr(df, -abs(statistic)))
    return TTest(statistic, p_value, estimate - margin, estimate + margin)


@dataclass(frozen=True, slots=True)
class TTests:
    """Many t tests, (m,) each; NaN without a standard error or degrees of freedom."""

    statistic: Array
    p_value: Array
    conf_low: Array
    conf_high: Array


def t_tests(estimate: Array, std_error: Array, df: Array, level: float) -> TTests:
    """`t_test` of many.

    Example:
        >>> t_tests(np.array([2.0, 1.0]), np.array([1.0, 0.0]), np.array([60.0, 60.0]), 0.95).p_value.round(4).tolist()
        [0.05, nan]
    """
    known = (std_error > 0) & (df > 0)
    error, free = np.where(known, std_error, np.nan), np.where(known, df, 1.0)
    statistic = estimate / error
    margin = special.stdtrit(free, (1.0 + level) / 2.0) * error
    p_value = 2.0 * special.stdtr(free, -np.abs(statistic))
    return TTests(statistic, p_value, estimate - margin, estimate + margin)


def holm(p_values: Sequence[float]) -> Array:
    """Holm's step-down adjusted p-values; NaN stays NaN and does not count in the family.

    `p~_(i) = max_{j <= i} min(1, (m - j + 1) p_(j))`.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    return adjust(p_values, "holm")


def step_levels(p_values: Array, alpha: float) -> Array:
    """The level each p-value is held against by Holm's procedure; NaN stays NaN.

    The i-th smallest of m is held against alpha / (m - i + 1); from the first that is not rejected on, all are held
    against that one's level.

    Example:
        >>> step_levels(np.array([0.01, 0.04, 0.03]), 0.05).round(4).tolist()
        [0.0167, 0.025, 0.025]
    """
    levels = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = alpha / np.arange(order.size, 0, -1)
    rejected = np.cumprod(p_values[order] < steps).astype(bool)
    stop = int(rejected.sum())
    if stop < order.size:
        steps[stop:] = steps[stop]
    levels[order] = steps
    return levels


def half_widths(p_values: Array, std_errors: Array, df: Array, level: float) -> Array:
    """Half the interval of each difference at the level of its own Holm step, `t_{1 - a/2, df} SE`.

    The difference is larger than its half width exactly where `holm` finds it significant.

    Parameters:
        p_values, std_errors, df: (m,) the tests of one family. level: of the family.

    Example:
        >>> half_widths(np.array([0.01, 0.2]), np.ones(2), np.full(2, 60.0), 0.95).round(3).tolist()
        [2.299, 2.0]
    """
    alpha = step_levels(p_values, 1.0 - level)
    found: Array = special.stdtrit(df, 1.0 - alpha / 2.0) * std_errors
    return found


def smallest_significant(std_error: float, level: float = 0.95, df: float = np.inf) -> float:
    """The smallest difference that is significant: `t_{1 - alpha/2, df} SE`, z without degrees of freedom.

    Example:
        >>> round(smallest_significant(0.9115 * 2**0.5), 2)
        2.53
    """
    return float(detectable_differences(np.array([std_error]), np.array([df]), level)[0][0])


def minimal_detectable(std_error: float, level: float = 0.95, power: float = 0.80, df: float = np.inf) -> float:
    """The true difference found significant with probability `power`: `(t_{1 - alpha/2, df} + t_{power, df}) SE`.

    Source:
        Bloom (1995), Evaluation Review 19(5), 547-556.

    Example:
        >>> round(minimal_detectable(0.9115 * 2**0.5), 1)
        3.6
    """
    return float(detectable_differences(np.array([std_error]), np.array([df]), level, power)[1][0])


def detectable_differences(std_error: Array, df: Array, level: float, power: float = 0.80) -> tuple[Array, Array]:
    """(m,) smallest significant and minimal detectable differences by the t tests that are made; NaN without df.

    Example:
        >>> [v.round(3).tolist() for v in detectable_differences(np.ones(2), np.array([60.0, 0.0]), 0.95)]
        [[2.0, nan], [2.848, nan]]
    """
    known = np.where(df > 0, df, np.nan)
    reach = np.where(np.isinf(known), special.ndtri((1.0 + level) / 2.0), special.stdtrit(known, (1.0 + level) / 2.0))
    more = np.where(np.isinf(known), special.ndtri(power), special.stdtrit(known, power))
    return reach * std_error, (reach + more) * std_error


def basis_note(index: Index) -> Note:
    """How the standard errors of differences were made."""
    if index.copies:
        of, m = basis_note(index.copies[0]), len(index.copies)
        en = f"{of.text.en} So in each of {m} completed data sets, combined by Rubin's rules."
        return note(of.code, en, f"{of.text.zh}{m} 份插补数据各自如此，再按 Rubin 规则合并。")
    if index.basis == "linearised":
        en = "Standard errors of differences are linearised and contain the uncertainty of the weights."
        return note("N-LINEARISED", en, "差异的标准误由线性化得到，已计入权重的不确定性。")
    if index.replicates is None:
        return held_note()
    drawn = index.replicates.shape[0]
    more = _random_error(drawn) if index.factors is None else Text("", "")
    en = f"Standard errors of differences from {drawn} joint replicates{more.en}."
    return note("N-JOINT-REPLICATES", en, f"差异的标准误来自 {drawn} 次联合重抽样{more.zh}。")


def _random_error(drawn: int) -> Text:
    """The random error of a standard error from so few resamples, relative: about `1 / sqrt(2 n)`."""
    if drawn >= MANY:
        return Text("", "")
    share = f"{(2 * drawn) ** -0.5:.0%}"
    return Text(
        f", whose number alone moves them by about {share}", f"，抽样次数有限使标准误本身约有 {share} 的随机误差"
    )


def held_note() -> Note:
    """That nothing is said of the weights' uncertainty."""
    en = "Standard errors of differences hold the weights fixed (no replicates)."
    return note("N-FIXED-WEIGHTS", en, "差异的标准误将权重视为固定（未做重抽样）。")
