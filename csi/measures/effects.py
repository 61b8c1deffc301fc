"""What leads to what, and how much: direct, indirect and total effects, r2 and f2.

Letters: `q` constructs, `b` slices of a stack, `B` replicates, `...` any leading axes. Paths are [outcome, predictor].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from csi.display import Shown, text
from csi.errors import Note, Reason, Text
from csi.estimate.estimate import Estimate, Solution
from csi.estimate.given import check_estimate
from csi.estimate.later import Later
from csi.estimate.shown import least_of
from csi.inference.lost import outside
from csi.inference.pooled import Scale, copies_of, pooled_pairs
from csi.inference.replicates import Flags, Quantity
from csi.measures.admissible import withheld_cells
from csi.measures.delta_effects import Chain, Effect, estimates_of, pairs_of, routes, specific_of
from csi.measures.drawn_effects import drawn_effects, keeps_effects
from csi.measures.explained import NO_SHARE, impossible
from csi.measures.shown import ROWS, part, told
from csi.measures.tidy import cell_codes, cells_of, said_once, solved_only, tidy, uncertain, unsolved
from csi.measures.validity import vif
from csi.models.model import Model
from csi.moments import compiled
from csi.moments.linear import solve
from csi.moments.stack import Array, Moments
from csi.sem.fitted import Fitted, fitted


def total_effects(paths: Array) -> Array:
    """Total effects of a path model: (I - B)^-1 - I = B + B^2 + ... for recursive models.

    Parameters:
        paths: (..., q, q) direct effects, [outcome, predictor].

    Returns:
        (..., q, q), [outcome, predictor].

    Source:
        Bollen (1989), Structural Equations with Latent Variables, ch. 8, table 8.4.

    Example:
        >>> total_effects(np.array([[0.0, 0, 0], [0.5, 0, 0], [0.2, 0.4, 0]])).round(6).tolist()[2]
        [0.4, 0.4, 0.0]
    """
    known = compiled.total_effects(paths)
    if known is not None:
        return known
    identity = np.eye(paths.shape[-1])
    return np.asarray(np.linalg.inv(identity - paths) - identity, dtype=np.float64)


def regression(cor: Array, outcome: int, predictors: list[int]) -> tuple[Array, Array]:
    """Standardised slopes and R2 of one construct on others from their correlations: R^-1 r and r' R^-1 r.

    Parameters:
        cor: (..., q, q) construct correlations. outcome, predictors: positions.

    Returns:
        slopes (..., len(predictors)) and R2 (...,).

    Example:
        >>> slopes, r2 = regression(np.array([[1.0, 0.6], [0.6, 1.0]]), 1, [0])
        >>> slopes.round(6).tolist(), r2.round(6).item()
        ([0.6], 0.36)
    """
    r = cor[..., predictors, outcome]
    R = cor[..., predictors, :][..., :, predictors]
    k = len(predictors)
    slopes = solve(R.reshape(-1, k, k), r.reshape(-1, k, 1)).reshape(r.shape)
    return slopes, np.asarray((slopes * r).sum(axis=-1), dtype=np.float64)


def f2(cor: Array, outcome: int, predictors: list[int]) -> Array:
    """Cohen's f2 of each predictor: (R2 - R2 without it) / (1 - R2), construct scores held fixed.

    The drop in R2 is slope^2 / VIF. (seminr re-estimates the whole model without the path; cSEM and ADANCO do as here.)

    Parameters:
        cor: (..., q, q) construct correlations. outcome, predictors: positions.

    Returns:
        (..., len(predictors)).

    Source:
        Cohen (1988), Statistical Power Analysis, eq. 9.2.1.

    Example:
        >>> f2(np.array([[1.0, 0.6], [0.6, 1.0]]), 1, [0]).round(6).tolist()
        [0.5625]
    """
    slopes, r2 = regression(cor, outcome, predictors)
    inflation = vif(cor[..., predictors, :][..., :, predictors])
    return np.asarray(slopes**2 / inflation / (1 - r2)[..., None], dtype=np.float64)


def adjusted(r2: Array, n: Array, predictors: int) -> Array:
    """Adjusted R2: 1 - (1 - R2)(n - 1) / (n - k - 1).

    Example:
        >>> adjusted(np.array(0.5), np.array(21.0), 1).round(6).item()
        0.473684
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > predictors + 1, 1 - (1 - r2) * (n - 1) / (n - predictors - 1), np.nan)


def chains(model: Model) -> tuple[Chain, ...]:
    """Every directed chain of arrows between constructs, the single arrows first; no construct twice in a chain.

    Example:
        >>> from csi.models.model import Construct, Path, Term
        >>> cons = tuple(Construct(c, "=~", (Term(c + "1"),)) for c in "abc")
        >>> chains(Model(cons, (Path("b", Term("a")), Path("c", Term("b")))))
        (('a', 'b'), ('b', 'c'), ('a', 'b', 'c'))
    """
    names = set(model.names)
    return routes(
        (p.predictor.name, p.outcome) for p in model.paths if p.predictor.name in names and p.outcome in names
    )


def along(paths: Array, chain: Chain, names: tuple[str, ...]) -> Array:
    """The product of the paths along a chain: (...,).

    Parameters:
        paths: (..., q, q). chain: construct names from first cause to last outcome. names: the q constructs.
    """
    at = [names.index(c) for c in chain]
    steps = [paths[..., y, x] for x, y in pairwise(at)]
    return np.asarray(np.prod(np.stack(steps), axis=0), dtype=np.float64)


class Frames(NamedTuple):
    """The frames of `Effects`, and what is said beside them."""

    table: pl.DataFrame
    chains: pl.DataFrame
    r2: pl.DataFrame
    f2: pl.DataFrame
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]


@dataclass(frozen=True, slots=True, repr=False)
class Effects(Shown):
    """Effects between constructs in every cell, standardised. Each frame starts with the cell's key columns.

    Where a cell has no usable solution the numbers are null and `reason` (the last column) bears the code.

    Attributes:
        table: outcome, predictor, effect ("direct", "indirect", "total"), estimate and, with replicates, std_error,
            p_value (which agrees with the interval), conf_low, conf_high; only pairs joined by a chain of arrows,
            "indirect" only where a longer chain exists.
        chains: specific indirect effects: outcome, predictor, chain ("a -> b -> c"), estimate, ... as above.
        r2: construct, predictors (how many), r2, r2_adjusted, conf_low, conf_high (of r2); null outside 0 to 1.
        f2: outcome, predictor, f2, conf_low, conf_high; null with the r2 of its outcome. An f2 is never negative, so
            its percentile and BC limits lie above 0 even where the path is zero: test the path, not its f2.
        constructs: (q). total: (b, q, q) [outcome, predictor]. level, notes. reasons: code -> Reason.
        frames: what all frames are made of, when one is first read. withheld: cell -> why its effects are not printed
            (`csi.verify`; the numbers stay in the frames), of the cells that a print would show.
        least: the least p that the draws can give; one there is printed as a bound.
    """

    constructs: tuple[str, ...]
    total: Array
    level: float
    frames: Later[Frames]
    withheld: Later[Mapping[int, Reason]]
    least: float = 0.0

    @property
    def table(self) -> pl.DataFrame:
        """Effects of every pair."""
        return self.frames.value.table

    @property
    def chains(self) -> pl.DataFrame:
        """Specific indirect effects."""
        return self.frames.value.chains

    @property
    def r2(self) -> pl.DataFrame:
        """Shares of variance explained."""
        return self.frames.value.r2

    @property
    def f2(self) -> pl.DataFrame:
        """What each predictor adds."""
        return self.frames.value.f2

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is doubtful."""
        return self.frames.value.notes

    @property
    def reasons(self) -> Mapping[str, Reason]:
        """Why values are absent."""
        return self.frames.value.reasons


@text.register
def _(value: Effects, lang: str = "en") -> str:
    """Effects of every pair, specific indirect effects, R2, why values are absent, notes."""
    why, cells = value.withheld.value, len(value.total)
    lines = part(Text("Effects", "效应"), _blank(value.table, why, cells), lang, ".table", least=value.least)
    left = max(ROWS - value.table.height, 5)
    for title, frame, place in (
        (Text("Specific indirect effects", "特定间接效应"), _blank(value.chains, why, cells), ".chains"),
        (Text("R2", "R²"), value.r2, ".r2"),
    ):
        found = part(title, frame.drop("outcome", "predictor", strict=False), lang, place, left, value.least)
        lines += ["", *found] if found else []
    lines = lines or ([] if why else [Text("no effects among constructs", "构念之间没有效应").say(lang)])
    hidden = [f"* {t.say(lang)}" for t in _unread(why)]
    return "\n".join([*lines, *hidden, *told(value.reasons.values(), value.notes, lang)])


def _blank(frame: pl.DataFrame, why: Mapping[int, Reason], cells: int) -> pl.DataFrame:
    """A frame, cell after cell, without the numbers of the cells that are withheld."""
    if len(why) == cells:
        return frame.clear()
    each = max(frame.height // cells, 1)
    hidden = pl.Series([at // each in why for at in range(frame.height)], dtype=pl.Boolean)
    numbers = [c for c in ("estimate", "std_error", "p_value", "conf_low", "conf_high") if c in frame.columns]
    return frame.with_columns(pl.when(hidden).then(None).otherwise(pl.col(c)).alias(c) for c in numbers)


def _unread(why: Mapping[int, Reason]) -> Iterator[Text]:
    """That effects are withheld, why (of the first cell), and where their numbers are."""
    if why:
        one = why[min(why)]
        many, many_zh = (f" in {len(why)} cells", f"（{len(why)} 个单元）") if len(why) > 1 else ("", "")
        en = f"effects withheld{many} ({one.code}): {one.text.en} They stay in .table and .chains; see csi.verify."
        zh = f"效应不予显示{many_zh}（{one.code}）：{one.text.zh}数值保留在 .table 与 .chains；见 csi.verify。"
        yield Text(en, zh)


def effects(est: Estimate, *, standardised: bool = True) -> Effects:
    """Direct, indirect, total and specific indirect effects, r2 and f2, with intervals when `est` has replicates.

    Fits by `csi.SEM` have effects among observed variables too, delta-method standard errors and intervals where there
    are no replicates (or the effects are not standardised), and a column `group` in a multi-group model.

    Parameters:
        est: a fitted model; intervals come from `est.replicates.solution`. standardised: False gives effects in the
            variables' own units, for fits by `csi.SEM`.

    Returns:
        An `Effects`.

    Raises:
        Problems: unstandardised effects of an estimate that is not of `csi.SEM`.

    Source:
        The formulas' own docstrings. Agrees with seminr 2.3.4 (total effects, r2) and cSEM 0.6.1 (f2) on ECSI mobi.

    Example:
        >>> import csi
        >>> answers = {"a1": [1, 4, 7, 9, 5], "a2": [2, 4, 8, 9, 5], "b1": [1, 5, 6, 9, 3], "b2": [3, 4, 8, 8, 2]}
        >>> model = csi.Model.parse("a =~ a1 + a2; b =~ b1 + b2; b ~ a")
        >>> est = csi.fit(model, pl.DataFrame(answers), csi.PLS(), scale=(1, 10))
        >>> effects(est).table.select("outcome", "predictor", "effect", pl.col("estimate").round(3)).row(0)
        ('b', 'a', 'direct', 0.912)
    """
    check_estimate(est)
    every_fit = copies_of(est) or (est,)
    fit = fitted(every_fit[0]) if not standardised or "sem" in every_fit[0].extra else None
    if standardised and fit is not None and every_fit[0].replicates is not None and not keeps_effects(fit):
        fit = None
    return Effects(
        constructs=est.solution.constructs,
        total=_totals(every_fit),
        level=est.level,
        frames=Later(lambda: _frames(est, fit, standardised=standardised)),
        withheld=Later(lambda: withheld_cells(est, range(min(len(est.values), ROWS)))),
        least=least_of(est),
    )


def _totals(fits: Sequence[Estimate]) -> Array:
    """(b, q, q) total effects; the mean of those of pooled copies."""
    if len(fits) == 1:
        return total_effects(fits[0].solution.paths)
    return np.asarray(total_effects(np.stack([one.solution.paths for one in fits])).mean(axis=0))


def _frames(est: Estimate, fit: Fitted | None, *, standardised: bool) -> Frames:
    """Every frame; effects of the covariance fit where one is given."""
    names = set(est.solution.constructs)
    if fit is None:
        every = tuple(c for c in chains(est.model) if set(c) <= names)
        table, specific = _pairs(est, every), _specific(est, [c for c in every if len(c) > 2])
    else:
        table = _by_fit(est, fit, pairs_of(fit), "effect", standardised=standardised)
        specific = _by_fit(est, fit, specific_of(fit), "chain", standardised=standardised)
    shares = _r2(est)
    no_share = NO_SHARE if NO_SHARE.code in shares["reason"].to_list() else None
    return Frames(
        table=table,
        chains=specific,
        r2=shares,
        f2=_f2(est),
        notes=(*(n for n in est.notes if n.code in DOUBTS), *_off(table, specific)),
        reasons=said_once([*unsolved(est), no_share]),
    )


DOUBTS = {"W-COR", "W-RHO"}
"""Notes of an estimate that its effects bear as well."""


def _off(table: pl.DataFrame, specific: pl.DataFrame) -> tuple[Note, ...]:
    """A note on effects that lie outside their own interval."""
    if "conf_low" not in table.columns:
        return ()
    names = [f"{x} -> {y} ({kind})" for x, y, kind in table.select("predictor", "outcome", "effect").iter_rows()]
    numbers = ("estimate", "conf_low", "conf_high")
    both = [np.concatenate([frame[c].cast(pl.Float64).to_numpy() for frame in (table, specific)]) for c in numbers]
    return outside([*names, *specific["chain"].to_list()], *both)


def _shares(est: Estimate, labels: pl.DataFrame, numbers: dict[str, Array], wrong: Flags) -> pl.DataFrame:
    """Shares of variance, none where `wrong` (b, m) says that they cannot be."""
    kept = {name: np.where(wrong, np.nan, array) for name, array in solved_only(est, numbers).items()}
    flat = wrong.reshape(-1).tolist()
    codes = [
        failed or (NO_SHARE.code if bad else None)
        for failed, bad in zip(cell_codes(est, labels.height), flat, strict=True)
    ]
    return tidy(cells_of(est), labels, kept, {"reason": codes})


def _told(est: Estimate, labels: pl.DataFrame, numbers: dict[str, Array]) -> pl.DataFrame:
    """The numbers of the solved cells, and why the others have none."""
    return tidy(cells_of(est), labels, solved_only(est, numbers), {"reason": cell_codes(est, labels.height)})


def _numbers(est: Estimate, name: str, quantity: Quantity, scale: Scale = "itself") -> dict[str, Array]:
    """A measure of the solution with std_error, conf_low and conf_high where there are replicates: (b, m) each.

    What may have either sign has a p_value as well, which agrees with the interval.
    """
    found = uncertain(est, quantity, scale=scale, kept=True)
    if found is None:
        return {name: quantity(est.moments, est.solution)}
    errors = {"conf_low": found.conf_low, "conf_high": found.conf_high}
    tested = {"p_value": found.p_value} if scale == "itself" else {}
    return {name: found.value, "std_error": found.std_error} | tested | errors


def _by_fit(est: Estimate, fit: Fitted, found: list[Effect], last: str, *, standardised: bool) -> pl.DataFrame:
    """Effects of a covariance fit; `last` is "effect" or "chain"."""
    value, error, low, high, p = _with_errors(est, fit, found, standardised=standardised)
    groups = fit.layout.table.rules.groups
    columns = {
        "group": [groups[e.group] for e in found] if groups else [],
        "outcome": [e.outcome for e in found],
        "predictor": [e.predictor for e in found],
        last: [" -> ".join(e.chain) if last == "chain" else e.kind for e in found],
    }
    if not groups:
        columns.pop("group")
    numbers = {"estimate": value, "std_error": error, "p_value": p, "conf_low": low, "conf_high": high}
    return _told(est, pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)), numbers)


def _with_errors(est: Estimate, fit: Fitted, found: list[Effect], *, standardised: bool) -> tuple[Array, ...]:
    """Values, standard errors, limits, p of effects, by replicates or the delta method; of copies by Rubin's rules."""
    copies = copies_of(est)
    if standardised and (copies or (est,))[0].replicates is not None:
        one = drawn_effects(est, found)
        return one.value, one.std_error, one.conf_low, one.conf_high, one.p_value
    if not copies:
        value, error = estimates_of(fit, found, standardised=standardised)
        z = float(ndtri(0.5 + est.level / 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * ndtr(-np.abs(value / error))
        return value, error, value - z * error, value + z * error, p
    pairs = [estimates_of(fitted(copy), found, standardised=standardised) for copy in copies]
    one = pooled_pairs(est, np.stack([value for value, _ in pairs]), np.stack([error for _, error in pairs]))
    return one.value, one.std_error, one.conf_low, one.conf_high, one.p_value


def _pairs(est: Estimate, every: tuple[Chain, ...]) -> pl.DataFrame:
    """Direct, indirect and total effects of every joined pair."""
    names = est.solution.constructs
    direct = {(c[0], c[-1]) for c in every if len(c) == 2}
    longer = {(c[0], c[-1]) for c in every if len(c) > 2}
    rows: list[tuple[str, str, str]] = []
    for y in names:
        for x in names:
            if (x, y) in direct:
                rows.append((y, x, "direct"))
            if (x, y) in longer:
                rows.append((y, x, "indirect"))
            if (x, y) in direct | longer:
                rows.append((y, x, "total"))
    schema = {"outcome": pl.String, "predictor": pl.String, "effect": pl.String}
    labels = pl.DataFrame(rows, schema=schema, orient="row")
    at = [(("direct", "indirect", "total").index(kind), names.index(y), names.index(x)) for y, x, kind in rows]
    kind, to, source = np.array(at, dtype=np.int64).reshape(-1, 3).T

    def pick(_: Moments, solution: Solution) -> Array:
        total = total_effects(solution.paths)
        return np.stack([solution.paths, total - solution.paths, total], axis=-3)[..., kind, to, source]

    return _told(est, labels, _numbers(est, "estimate", pick))


def _specific(est: Estimate, indirect: list[Chain]) -> pl.DataFrame:
    """Specific indirect effects, one row per chain."""
    schema = {"outcome": pl.String, "predictor": pl.String, "chain": pl.String}
    labels = pl.DataFrame([(c[-1], c[0], " -> ".join(c)) for c in indirect], schema=schema, orient="row")

    def pick(_: Moments, solution: Solution) -> Array:
        if not indirect:
            return np.empty((len(solution.paths), 0))
        return np.stack([along(solution.paths, c, solution.constructs) for c in indirect], axis=-1)

    return _told(est, labels, _numbers(est, "estimate", pick))


def _r2(est: Estimate) -> pl.DataFrame:
    names = est.solution.constructs
    count = {y: len([x for x in est.model.predictors(y) if x in names]) for y in names}
    at = [k for k, y in enumerate(names) if count[y]]
    labels = pl.DataFrame(
        {"construct": [names[k] for k in at], "predictors": [count[names[k]] for k in at]},
        schema={"construct": pl.String, "predictors": pl.Int64},
    )
    numbers = _numbers(est, "r2", lambda _, solution: solution.r2[:, at], "share")
    corrected = [adjusted(numbers["r2"][:, j], est.moments.n, count[names[k]]) for j, k in enumerate(at)]
    numbers["r2_adjusted"] = np.stack(corrected, axis=-1) if at else np.empty((len(est.moments.n), 0))
    return _shares(est, labels, numbers, _wrong(est, at))


def _wrong(est: Estimate, at: list[int]) -> Flags:
    """(b, m) where the R2 of a construct cannot be, in any of the copies that were pooled."""
    flags = [impossible(one.solution.r2[:, at]) for one in copies_of(est) or (est,)]
    return np.asarray(np.any(flags, axis=0), dtype=np.bool_)


def _f2(est: Estimate) -> pl.DataFrame:
    names = est.solution.constructs
    groups = {y: [names.index(x) for x in est.model.predictors(y) if x in names] for y in names}
    rows = [(y, names[x]) for y, xs in groups.items() for x in xs]
    labels = pl.DataFrame(rows, schema={"outcome": pl.String, "predictor": pl.String}, orient="row")

    def pick(_: Moments, solution: Solution) -> Array:
        cor = solution.construct_cor
        parts = [f2(cor, names.index(y), xs) for y, xs in groups.items() if xs]
        return np.concatenate(parts, axis=-1) if parts else np.empty((len(cor), 0))

    to = [names.index(y) for y, _ in rows]
    return _shares(est, labels, _numbers(est, "f2", pick, "square"), _wrong(est, to))
