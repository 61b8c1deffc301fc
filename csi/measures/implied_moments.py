"""What a fitted model says the moments are: `implied(est)`.

Letters: `b` slices, `g` groups, `p` items, `q` constructs, `T` thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.display import table as printed
from csi.errors import Text
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.measures.residuals import WIDE, conditioned_on, given_words, items_of, lower, threshold_names, unpacked
from csi.measures.tidy import cells_of, solved_only, tidy
from csi.moments.stack import Array
from csi.sem.fitted import Fitted, fitted
from csi.sem.moment_vector import plans_of, vector
from csi.sem.responses import responses


@dataclass(frozen=True, slots=True, repr=False)
class ImpliedMoments(Shown):
    """Implied moments of every cell and group; NaN in cells without a solution.

    Attributes:
        items: p names. constructs: q names. groups: labels, ("",) for one. cells: key columns of each slice.
        cov: (g, b, p, p); of the responses behind ordinal items, whose variance is 1. mean: (g, b, p), NaN for ordinal
            items, None without a mean structure. construct_cov: (g, b, q, q). construct_mean: (g, b, q) or None.
        thresholds: (g, b, T) distances from the mean of the responses behind in their standard deviations, None without
            ordinal items. threshold_names: T names such as "q1|t1".
        given: x names of variables that an ordinal model is conditional on; the moments of items are then those given
            them (means and thresholds where they are 0), slopes: (g, b, p, x) of the items on them, None without.
    """

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    groups: tuple[str, ...]
    cov: Array
    mean: Array | None
    construct_cov: Array
    construct_mean: Array | None
    thresholds: Array | None
    threshold_names: tuple[str, ...]
    cells: pl.DataFrame
    given: tuple[str, ...] = ()
    slopes: Array | None = None

    @property
    def table(self) -> pl.DataFrame:
        """One row per cell, group and moment of items, then of constructs: key columns, group, lhs, op, rhs, value."""
        names, parts = _listed(self.items, self.cov, self.mean)
        if self.thresholds is not None:
            names += [(name.split("|")[0], "|", name.split("|")[1]) for name in self.threshold_names]
            parts.append(self.thresholds)
        if self.slopes is not None:
            names += [(item, "~", x) for item in self.items for x in self.given]
            parts.append(self.slopes.reshape(*self.slopes.shape[:2], -1))
        more, others = _listed(self.constructs, self.construct_cov, self.construct_mean)
        names, values = names + more, np.concatenate([*parts, *others], axis=2)
        labels = pl.DataFrame(
            [(g, *n) for g in self.groups for n in names], schema=["group", "lhs", "op", "rhs"], orient="row"
        )
        return tidy(self.cells, labels, {"value": values.swapaxes(0, 1).reshape(values.shape[1], -1)})


def _listed(names: tuple[str, ...], cov: Array, mean: Array | None) -> tuple[list[tuple[str, str, str]], list[Array]]:
    """Names and values (g, b, .) of covariances and means; ordinal items have no mean."""
    j, i = np.triu_indices(len(names))
    listed = [(names[a], "~~", names[b]) for a, b in zip(j, i, strict=True)]
    if mean is None:
        return listed, [cov[:, :, i, j]]
    own = np.flatnonzero(~np.isnan(mean).all(axis=(0, 1)))
    return listed + [(names[a], "~1", "") for a in own], [cov[:, :, i, j], mean[:, :, own]]


def implied(est: Estimate) -> ImpliedMoments:
    """Covariances and means that the model implies, of items and of constructs; thresholds of ordinal items.

    Sigma = Lambda Phi Lambda' + Theta, mu = nu + Lambda A alpha

    Parameters:
        est: a fit by `csi.SEM`.

    Returns:
        An `ImpliedMoments`.

    Raises:
        Problems: the estimate is not of `csi.SEM`.

    Source:
        Bollen (1989), Structural equations with latent variables, eq. 8.1-8.8. Agrees with lavaan 0.6-14, lavInspect
        "implied" and "cov.lv".

    Example:
        >>> import csi
        >>> cov = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.4], [0.5, 0.4, 1.0]]
        >>> est = csi.fit(csi.Model.parse("f =~ a + b + c"), csi.Moments.of("abc", cov, n=300), csi.SEM())
        >>> csi.implied(est).cov[0, 0, 0].round(4).tolist()
        [0.9967, 0.4983, 0.4983]
    """
    check_estimate(est)
    fit = fitted(est)
    table, ordinal = fit.layout.table, bool(fit.layout.table.rules.ordered)
    hidden = {rest for c in table.rules.composites for rest in c.rests}
    own = [j for j, name in enumerate(table.latent) if name not in hidden]
    each = [_of_ordinal(fit, g) if ordinal else (at.at.Sigma, at.at.mu, None, None) for g, at in enumerate(fit.groups)]
    cut = [one[2] for one in each if one[2] is not None]
    slopes = [one[3] for one in each if one[3] is not None]
    names = threshold_names(fit) if ordinal else ()
    return ImpliedMoments(
        items=items_of(fit) if ordinal else table.observed,
        constructs=tuple(table.latent[j] for j in own),
        groups=tuple(g.name for g in fit.groups),
        cov=_usable(est, np.stack([one[0] for one in each])),
        mean=_usable(est, np.stack([one[1] for one in each])) if fit.layout.means else None,
        construct_cov=_usable(est, np.stack([g.at.Phi[:, own][:, :, own] for g in fit.groups])),
        construct_mean=_usable(est, np.stack([g.at.reach[:, own] for g in fit.groups])) if fit.layout.means else None,
        thresholds=_usable(est, np.stack(cut)) if cut else None,
        threshold_names=tuple(n for n in names if not n.endswith("|mean")),
        cells=cells_of(est),
        given=conditioned_on(fit) if ordinal else (),
        slopes=_usable(est, np.stack(slopes)) if slopes else None,
    )


def _of_ordinal(fit: Fitted, g: int) -> tuple[Array, Array, Array, Array | None]:
    """Covariances (b, p, p), means (b, p), thresholds (b, T) and slopes (b, p, x) of a group with ordinal items."""
    plan = plans_of(fit.layout)[g]
    parts = unpacked(vector(plan, fit.groups[g].at, fit.theta), plan, diagonal=1.0)
    flags = np.array(plan.ordinal)
    mean = np.where(flags, np.nan, responses(plan, fit.groups[g].at).mu)[:, plan.kept]
    return parts.cov, mean, parts.first[:, flags[plan.th_item]], parts.slopes if plan.given.size else None


def _usable(est: Estimate, values: Array) -> Array:
    """(g, b, ...) values, NaN in cells without a solution."""
    g, b = values.shape[:2]
    flat = values.swapaxes(0, 1).reshape(b, -1)
    return solved_only(est, {"value": flat})["value"].reshape(b, g, *values.shape[2:]).swapaxes(0, 1)


@text.register
def _(value: ImpliedMoments, lang: str = "en") -> str:
    """Of the first cell: covariances of items (of constructs where there are too many items), group by group."""
    few = len(value.items) <= WIDE
    names, cov = (value.items, value.cov) if few else (value.constructs, value.construct_cov)
    title = (
        Text("Implied covariances", "模型隐含的协方差")
        if few
        else Text("Implied covariances of constructs", "模型隐含的构念协方差")
    )
    lines = [title.say(lang) + (given_words(value.given, lang) if few else "")]
    for g, name in enumerate(value.groups):
        lines += [Text(f"group {name}", f"组 {name}").say(lang)] if name else []
        lines.append(printed(lower(names, cov[g, 0])))
    cells = value.cells.height
    more = Text("means and everything else: .table", "均值及其余：.table").say(lang)
    first = Text(f"the first of {cells} cells; ", f"{cells} 个单元中的第一个；").say(lang) if cells > 1 else ""
    return "\n".join([*lines, first + more])
