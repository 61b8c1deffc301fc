"""Factor means of many groups without full invariance: `csi.alignment(model, data, groups="country")`.

Letters: `g` groups, `p` items of a construct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from scipy.special import ndtri

from csi.display import Number, Shown, table, text
from csi.errors import Note, Problem, Problems, Text, note, one_of, problem
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.estimate.given import model_of
from csi.measures.align import Aligned, Bools, align, invariant_set
from csi.measures.invariance_words import fixed, wrapped
from csi.measures.ladder import measurement
from csi.models.model import Model
from csi.moments.stack import Array
from csi.sem.estimator import SEM
from csi.sem.fitted import fitted

Way = Literal["free", "fixed"]
TRUSTED = 0.25
"""Share of parameters that differ above which aligned means are doubtful: a rule of thumb from simulations.

Source: Muthén & Asparouhov (2014), Frontiers in Psychology 5:978.
"""
Z95 = float(ndtri(0.975))


@dataclass(frozen=True, slots=True, repr=False)
class Alignment(Shown):
    """Aligned factors of every construct.

    Attributes:
        means: construct, group, n, mean (in standard deviations of the reference group's factor, from its mean),
            std_error, conf_low, conf_high, variance (of the factor, 1 in the reference group).
        items: a row per item and parameter: construct, item, parameter ("loading", "intercept"), average (over the
            groups in which it does not differ), differing (groups in which it does), share (of all groups), r2 (share
            of its variation over groups that the factors' means and variances account for).
        parameters: a row per item, parameter and group: value (aligned), std_error, configural, invariant.
        share: of all parameters, those that differ. method: "free" or "fixed". reference: its group. epsilon.
        groups. sentences: construct -> what was found. notes.
    """

    means: pl.DataFrame
    items: pl.DataFrame
    parameters: pl.DataFrame
    share: float
    method: Way
    reference: str
    epsilon: float
    groups: tuple[str, ...]
    sentences: Mapping[str, Text]
    notes: tuple[Note, ...] = ()


def alignment(
    model: Model | str,
    data: object,
    groups: str,
    *,
    method: Way = "free",
    reference: str | None = None,
    epsilon: float = 0.01,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Alignment:
    """Factor means and variances under which the fewest loadings and intercepts differ much over groups.

    The configural model is fitted in every group; then means and variances of the factors minimise the sum over items
    and pairs of groups of sqrt(n_g n_h) f(difference), f(x) = sqrt(sqrt(x^2 + epsilon)), of loadings and intercepts.
    Standard errors by the delta method (implicit function theorem) from the groups' robust covariances. In which groups
    a parameter differs is found by Asparouhov & Muthén's procedure: the largest connected set at p > .01, then groups
    leave and enter by their difference from the set's average at p = .001.

    Parameters:
        model: constructs with their items (three or more), or text; arrows are left out. data: as in `csi.fit`.
        groups: their column. method: "free" (all means) or "fixed" (the reference group's is 0 in the search, better
            where hardly anything differs). reference: the group that means are told from (the first by default).
        epsilon: of the loss. where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        An `Alignment`.

    Raises:
        Problems: E-ALIGN, E-SETTING, and what `csi.fit` finds.

    Source:
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4):495-508; Muthén & Asparouhov (2014), Frontiers in
        Psychology 5:978. Checked on simulated truth and by finite differences (tests/measures/test_alignment.py).

    Example:
        >>> import csi
        >>> rng, rows = np.random.default_rng(2), []
        >>> for k in range(8):
        ...     x = rng.normal(0.1 * k, 1, (300, 1)) + rng.normal(0, 0.8, (300, 4)) + np.array([0, 0, 0, k == 3])
        ...     rows.append(pl.DataFrame(x, schema=[*"abcd"]).with_columns(land=pl.lit(f"g{k}")))
        >>> found = alignment("f =~ a + b + c + d", pl.concat(rows), "land")
        >>> found.items.filter(pl.col("share") > 0).select("item", "parameter", "differing").rows()
        [('d', 'intercept', 'g3')]
    """
    claim, told = measurement(model_of(model, also=_settings(method, epsilon)))
    est = fit(
        claim,
        data,
        SEM(estimator="MLR", std_lv=True, meanstructure=True),
        [groups],
        where=where,
        weight=weight,
        unit=unit,
        stratum=stratum,
        na=na,
        scale=scale,
    )
    labels = tuple(str(v) for v in est.moments.cells[groups])
    at = _check(est, claim, groups, labels, reference)
    found = {
        c.name: _construct(est, c.name, c.items, at, method, epsilon) for c in claim.constructs if len(c.items) > 2
    }
    return told_of(est, found, labels, at, method, epsilon, told)


def _settings(method: str, epsilon: float) -> list[Problem]:
    found = one_of("method", method, get_args(Way))
    if not epsilon > 0:
        en, zh = f"epsilon = {epsilon:g} is not positive.", f"epsilon = {epsilon:g} 不是正数。"
        found.append(problem("E-SETTING", "epsilon", en, zh, "Write such as 0.01.", "请写例如 0.01。"))
    return found


def _check(est: Estimate, claim: Model, groups: str, labels: Sequence[str], reference: str | None) -> int:
    """The place of the reference group.

    Raises:
        Problems: E-ALIGN: fewer than two groups, a group without a solution, no construct of three items or more, an
            unknown reference.
    """
    found = []
    if len(labels) < 2:
        en, zh = f'"{groups}" has a single group.', f"“{groups}”只有一个组。"
        found.append(_problem(groups, en, zh, "Name a column of groups.", "请指定分组列。"))
    bad = [labels[int(i)] for i in np.flatnonzero(~est.convergence.converged)]
    for name in bad:
        en, zh = "the configural model has no solution in this group.", "形态模型在该组无解。"
        found.append(_problem(f'group "{name}"', en, zh, "Leave the group out (where=).", "请移除该组（where=）。"))
    if not any(len(c.items) > 2 for c in claim.constructs):
        en, zh = "no construct has three items or more.", "没有构念具有三个或更多题项。"
        found.append(_problem("model", en, zh, "Give a construct of three items.", "请给出至少三个题项的构念。"))
    if reference is not None and reference not in labels:
        en, zh = f'there is no group "{reference}".', f"没有“{reference}”组。"
        found.append(_problem("reference", en, zh, f"Groups: {', '.join(labels)}.", f"现有各组：{'、'.join(labels)}。"))
    if found:
        raise Problems(found)
    return 0 if reference is None else list(labels).index(reference)


def _problem(where: str, en: str, zh: str, do: str, do_zh: str) -> Problem:
    return problem("E-ALIGN", where, en, zh, do, do_zh)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One construct: configural and aligned parameters, covariance of (log_sd, alpha, loadings, intercepts), and in
    which groups (g, p) loadings and intercepts do not differ.
    """

    items: tuple[str, ...]
    loading: Array
    intercept: Array
    aligned: Aligned
    covariance: Array
    same_loading: Bools
    same_intercept: Bools


def configural(est: Estimate, construct: str, items: Sequence[str]) -> tuple[Array, Array, Array]:
    """(g, p) loadings and intercepts of every group's own fit, and their covariance (2gp, 2gp), zero between groups."""
    fit_ = fitted(est)
    index = {row.key: k for row, k in zip(fit_.layout.table.rows, fit_.layout.table.index, strict=True)}
    at = [index[construct, "=~", i] for i in items], [index[i, "~1", ""] for i in items]
    loading, intercept = fit_.theta[:, at[0]], fit_.theta[:, at[1]]
    turn = np.where(loading.sum(axis=1) < 0, -1.0, 1.0)
    g, p = loading.shape
    covariance = np.zeros((2, g, p, 2, g, p))
    for a in range(2):
        for b in range(2):
            block = fit_.vcov[:, at[a]][:, :, at[b]] * (turn ** (2 - a - b))[:, None, None]
            for group in range(g):
                covariance[a, group, :, b, group, :] = block[group]
    return loading * turn[:, None], intercept, covariance.reshape(2 * g * p, 2 * g * p)


def aligned_of(est: Estimate, construct: str, items: tuple[str, ...], at: int, method: Way, epsilon: float) -> Found:
    """The alignment of one construct from the stack of its groups' fits."""
    return _construct(est, construct, items, at, method, epsilon)


def _construct(est: Estimate, construct: str, items: tuple[str, ...], at: int, method: Way, epsilon: float) -> Found:
    loading, intercept, V = configural(est, construct, items)
    n = est.moments.n.astype(np.float64)
    best = align(loading, intercept, n, epsilon, at if method == "fixed" else None)
    W = best.jacobian @ V @ best.jacobian.T
    g, p = loading.shape
    same = [np.empty((g, p), dtype=np.bool_) for _ in range(2)]
    for kind, values in enumerate((best.loading, best.intercept)):
        for k in range(p):
            rows = 2 * g + kind * g * p + np.arange(g) * p + k
            same[kind][:, k] = invariant_set(values[:, k], W[np.ix_(rows, rows)])
    return Found(tuple(items), loading, intercept, best, W, same[0], same[1])


def told_of(
    est: Estimate,
    found: Mapping[str, Found],
    labels: tuple[str, ...],
    at: int,
    method: Way,
    epsilon: float,
    notes: tuple[Note, ...] = (),
) -> Alignment:
    """The noun from what was found."""
    n = est.moments.n
    means = pl.concat([_means(name, one, labels, n, at) for name, one in found.items()])
    items = pl.concat([_items(name, one, labels) for name, one in found.items()])
    parameters = pl.concat([_parameters(name, one, labels) for name, one in found.items()])
    share = float((~parameters["invariant"].to_numpy()).mean())
    return Alignment(
        means=means,
        items=items,
        parameters=parameters,
        share=share,
        method=method,
        reference=labels[at],
        epsilon=epsilon,
        groups=labels,
        sentences={name: _sentence(name, one) for name, one in found.items()},
        notes=tuple(dict.fromkeys((*est.notes, *notes, *_notes(share, method, epsilon)))),
    )


def _means(name: str, one: Found, labels: Sequence[str], n: Array, at: int) -> pl.DataFrame:
    """Factor means from the reference group's, in its standard deviations, with delta-method errors."""
    g, a, s = len(labels), one.aligned.alpha, one.aligned.log_sd
    size = np.exp(-s[at])
    mean = (a - a[at]) * size
    D = np.zeros((g, 2 * g))
    D[:, g:] = size * (np.eye(g) - np.eye(g)[at])
    D[:, at] -= mean
    error = np.sqrt(np.maximum(np.einsum("ga,ab,gb->g", D, one.covariance[: 2 * g, : 2 * g], D), 0.0))
    return pl.DataFrame(
        {
            "construct": [name] * g,
            "group": list(labels),
            "n": n.astype(np.int64),
            "mean": mean,
            "std_error": error,
            "conf_low": mean - Z95 * error,
            "conf_high": mean + Z95 * error,
            "variance": np.exp(2.0 * (s - s[at])),
        }
    )


def _items(name: str, one: Found, labels: Sequence[str]) -> pl.DataFrame:
    """A row per item and parameter."""
    rows = []
    for kind, same in (("loading", one.same_loading), ("intercept", one.same_intercept)):
        values = one.aligned.loading if kind == "loading" else one.aligned.intercept
        for k, item in enumerate(one.items):
            inside = same[:, k]
            differing = ", ".join(label for label, yes in zip(labels, inside, strict=True) if not yes)
            average = float(values[inside, k].mean())
            rows.append((name, item, kind, average, differing, float((~inside).mean()), r_squared(one, kind, k)))
    numbers = dict.fromkeys(("share", "r2"), pl.Float64())
    schema = {"construct": pl.String(), "item": pl.String(), "parameter": pl.String(), "average": pl.Float64()}
    frame = pl.DataFrame(rows, schema={**schema, "differing": pl.String(), **numbers}, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def r_squared(one: Found, kind: str, k: int) -> float:
    """Share of the variance over groups of a configural parameter that the factors' means and variances account for.

    loadings 1 - V(lambda0 - sqrt(psi) lambda) / V(lambda0); intercepts 1 - V(nu0 - nu - alpha lambda) / V(nu0), with
    lambda and nu the averages of the aligned ones.

    Source:
        Asparouhov & Muthén (2014), Structural Equation Modeling 21(4):495-508 (R2 of loadings and intercepts).
    """
    average = one.aligned.loading[:, k].mean()
    if kind == "loading":
        own, rest = one.loading[:, k], one.loading[:, k] - np.exp(one.aligned.log_sd) * average
    else:
        own = one.intercept[:, k]
        rest = own - one.aligned.intercept[:, k].mean() - one.aligned.alpha * average
    return float(1.0 - rest.var() / own.var()) if own.var() > 0 else float("nan")


def _parameters(name: str, one: Found, labels: Sequence[str]) -> pl.DataFrame:
    """A row per item, parameter and group."""
    g, p = one.loading.shape
    errors = np.sqrt(np.maximum(np.diagonal(one.covariance)[2 * g :], 0.0)).reshape(2, g, p)
    parts = []
    given = (
        (one.loading, one.aligned.loading, one.same_loading),
        (
            one.intercept,
            one.aligned.intercept,
            one.same_intercept,
        ),
    )
    for kind, (before, after, same), error in zip(("loading", "intercept"), given, errors, strict=True):
        columns = {"value": after.T, "std_error": error.T, "configural": before.T, "invariant": same.T}
        head = {"construct": [name] * g * p, "item": [i for i in one.items for _ in labels]}
        head |= {"parameter": [kind] * g * p, "group": list(labels) * p}
        parts.append(pl.DataFrame({**head, **{c: v.ravel() for c, v in columns.items()}}))
    return pl.concat(parts)


def _sentence(name: str, one: Found) -> Text:
    """How many parameters differ, and the item of most."""
    counts = (~one.same_loading).sum(axis=0) + (~one.same_intercept).sum(axis=0)
    named = {i: Text(i, i) for i in one.items}
    return differing(Text(name, name), dict(zip(one.items, counts.tolist(), strict=True)), named, len(one.loading))


def differing(name: Text, counts: Mapping[str, int], items: Mapping[str, Text], groups: int) -> Text:
    """How many parameters of a construct differ over groups, and the item of most.

    Parameters:
        counts: item -> loadings and intercepts that differ. items: what items are called.

    Example:
        >>> differing(Text("joy", "joy"), {"a": 0, "b": 2}, {"b": Text("fun", "fun")}, 5).en
        'joy: 2 of 20 loadings and intercepts differ over 5 groups (10 %), most of them of fun (2).'
    """
    wrong, of = sum(counts.values()), 2 * groups * len(counts)
    share = 100.0 * wrong / of
    en = f"{name.en}: {wrong} of {of} loadings and intercepts differ over {groups} groups ({share:.0f} %)"
    zh = f"{name.zh}：{groups} 组的 {of} 个载荷与截距中有 {wrong} 个相异（{share:.0f}%）"
    if not wrong:
        return Text(f"{en}.", f"{zh}。")
    worst = max(counts, key=lambda i: counts[i])
    item, most = items[worst], counts[worst]
    if wrong == 1:
        return Text(f"{en}, of {item.en}.", f"{zh}，属于{item.zh}。")
    return Text(f"{en}, most of them of {item.en} ({most}).", f"{zh}，其中 {item.zh} 最多（{most} 个）。")


def _notes(share: float, method: Way, epsilon: float) -> tuple[Note, ...]:
    """How it was done, and when to doubt it."""
    en = (
        f"{method.upper()} alignment, epsilon {epsilon:g}; parameters differ where they depart from the average of the "
        "others at p < .001 (Asparouhov & Muthén 2014)."
    )
    way = {"free": "自由", "fixed": "固定"}[method]
    zh = (
        f"{way}对齐（{method.upper()}，epsilon {epsilon:g}）；参数与其余各组均值的差异 p < .001 时判为相异"
        "（Asparouhov 与 Muthén，2014）。"
    )
    out = [note("N-ALIGN", en, zh)]
    if share > TRUSTED:
        en = f"{100 * share:.0f} % of the parameters differ; above 25 % aligned means are doubtful (a rule of thumb)."
        out.append(note("W-ALIGN", en, f"{100 * share:.0f}% 的参数相异；超过 25% 时对齐均值存疑（经验法则）。"))
    return tuple(out)


HEADINGS = {
    "construct": Text("construct", "构念"),
    "group": Text("group", "组"),
    "n": Text("n", "样本量"),
    "mean": Text("mean", "均值"),
    "std_error": Text("se", "标准误"),
    "variance": Text("variance", "方差"),
    "item": Text("item", "题项"),
    "parameter": Text("parameter", "参数"),
    "average": Text("average", "平均"),
    "differing": Text("differs in", "相异组"),
    "r2": Text("r2", "R²"),
}
NUMBERS: dict[str, Number] = dict.fromkeys(("mean", "std_error", "variance", "average", "r2"), fixed)
PARAMETERS = {"loading": Text("loading", "载荷"), "intercept": Text("intercept", "截距")}


@text.register
def _(value: Alignment, lang: str = "en") -> str:
    """Sentences, the items, the means, the notes."""
    headings = {c: t.say(lang) for c, t in HEADINGS.items()}
    kinds = {k: t.say(lang) for k, t in PARAMETERS.items()}
    items = value.items.drop("share").with_columns(pl.col("parameter").replace(kinds))
    means = value.means.drop("conf_low", "conf_high")
    title = Text(f"Alignment over {len(value.groups)} groups", f"{len(value.groups)} 组的对齐")
    told = Text(f"Factor means, from {value.reference}", f"因子均值（以 {value.reference} 为参照）")
    lines = [title.say(lang), *(wrapped(s.say(lang)) for s in value.sentences.values()), ""]
    lines += [table(items, NUMBERS, headings), "", told.say(lang), table(means, NUMBERS, headings)]
    return "\n".join([*lines, *(wrapped(f"* {n.say(lang)}") for n in value.notes)])
