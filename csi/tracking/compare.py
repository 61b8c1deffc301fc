"""Estimates side by side: `compare(csi.fit(m, d, csi.SEM()), csi.fit(m, d, csi.Semopy()))`.

    difference = other - first;   in_se = |difference| / SE(first);   agree: |difference| <= tolerance max(|a|, |b|, SE)

Letters: `b` cells, `k` parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from csi.display import Shown, table, text
from csi.errors import Note, Problems, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.importance.drivers import check_target
from csi.measures.admissible import withheld_cells
from csi.measures.fit_measures import fit_measures
from csi.measures.shown import listing
from csi.measures.standardised import standardised
from csi.sem.fitted import Fitted
from csi.tracking.estimands import Relation, found, known_differences, relation, scaling
from csi.tracking.triangulate import doubtful_cells, triangulate

TOLERANCE = 1e-4
"""Relative difference up to which engines with one criterion agree (semopy against lavaan: tests/engines)."""

ROWS = 20
"""So many rows are printed, of parameters that more than one has; the rest is counted."""

READ = 40
"""So many rows of what is read from more than two estimates are printed."""

NOTHING = 1e-12
"""A difference of rounding."""

MEASURES = ("chi2", "df", "p_value", "chi2_scaled", "cfi", "tli", "rmsea", "srmr", "logl", "aic", "bic")
_ROW = ("lhs", "op", "rhs", "group")


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Shown):
    """Estimates side by side; each has a key, its keyword or "1", "2", ...

    Attributes:
        table: the cell's key columns, lhs, op, rhs, group; estimate_KEY, std_error_KEY, std_all_KEY of each; and of
            each but the first difference_KEY, in_se_KEY, agree_KEY (null where agreement is not to be expected),
            se_ratio_KEY (its standard error by the first's).
        fit: the cell's key columns, measure, and the value of each by its key (null where it has none).
        names: key -> name of the estimator. basis, relations: key -> what is compared ("estimate" or "std_all"), and
            how it relates to the first. tolerance. sentences: one per estimate after the first. notes.
        side_by_side: what is read from the estimates (paths, index, drivers, ranks), one row each; see `Triangulation`.
        target: the construct whose drivers are ordered. verdict: whether what is read depends on the estimator; both
            None where no construct is explained.
    """

    table: pl.DataFrame
    fit: pl.DataFrame
    names: Mapping[str, str]
    basis: Mapping[str, str]
    relations: Mapping[str, Relation]
    tolerance: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    side_by_side: pl.DataFrame = field(default_factory=pl.DataFrame)
    target: str | None = None
    verdict: Text | None = None


def compare(
    *estimates: Estimate, tolerance: float = TOLERANCE, target: str | None = None, **named: Estimate
) -> Comparison:
    """Lay estimates of a model side by side: engines, estimators, settings.

    Parameters:
        estimates, named: two or more, of the same cells; a keyword names its estimate. The first is the reference.
        tolerance: relative difference up to which two values agree.
        target: the construct of all whose drivers and index are compared; the one with the most predictors where
            None.

    Returns:
        A `Comparison`. Values are compared as they are where units are the same, else standardised, with constructs
        turned to the direction they have in the first. Differences of more than two standard errors (the largest of
        those the estimates have) are flagged in `side_by_side` and told in `verdict`.

    Raises:
        Problems: E-COMPARE, fewer than two estimates, of different cells, or without a common construct; E-TARGET,
            one of them has no such construct.

    Source:
        tolerance: parity of semopy and of this engine with lavaan 0.6-14 (tests/engines, tests/sem).

    Example:
        >>> import csi
        >>> cov = [[2.0, 0.9, 0.8, 0.7], [0.9, 1.5, 0.6, 0.3], [0.8, 0.6, 1.2, 0.4], [0.7, 0.3, 0.4, 1.1]]
        >>> model, data = csi.Model.parse("f =~ a + b + c + d"), csi.Moments.of("abcd", cov, n=200)
        >>> made = compare(csi.fit(model, data, csi.SEM()), csi.fit(model, data, csi.Semopy()))
        >>> made.table["agree_2"].all(), made.relations
        (True, {'2': 'same'})
    """
    return compared({str(i + 1): e for i, e in enumerate(estimates)} | named, tolerance, target)


def compared(given: Mapping[str, Estimate], tolerance: float = TOLERANCE, target: str | None = None) -> Comparison:
    """`compare` of estimates under their keys, whatever the keys are."""
    for est in given.values():
        check_estimate(est)
    _check(given)
    (key, first), *others = given.items()
    if target is not None:
        for est in given.values():
            check_target(est, target)
    triangle = triangulate(given, target)
    shared = _cell_keys(first)
    names = {k: e.settings.name for k, e in given.items()}
    frames = {k: _read_values(e, k) for k, e in given.items()}
    on = [*shared, "key", "group"]
    rows = pl.concat([f.select(*shared, *_ROW, "key") for f in frames.values()]).unique(
        on, keep="first", maintain_order=True
    )
    for frame in frames.values():
        rows = rows.join(frame.drop("lhs", "op", "rhs"), on=on, how="left", nulls_equal=True, maintain_order="left")
    basis, relations, sentences, told = {}, {}, [], [*known_differences(tuple(given.values()))]
    for k, est in others:
        relations[k], basis[k] = relation(first, est), "estimate" if scaling(first) == scaling(est) else "std_all"
        rows, turned = _differences(
            rows, (key, first), k, basis[k], shared, tolerance, expected=relations[k] != "estimand"
        )
        sentences.append(_sentence(rows, (names[key], names[k]), k, relations[k], basis[k]))
        told += [*turned, *_alone(rows, (key, k), (names[key], names[k]))]
    columns = [c for c in rows.columns if c != "key" and not c.startswith("_")]
    kept = tuple(dict.fromkeys([*told, *triangle.notes, *(n for e in given.values() for n in e.notes)]))
    return Comparison(
        table=rows.select(columns),
        fit=_fits(given, shared),
        names=names,
        basis=basis,
        relations=relations,
        tolerance=tolerance,
        sentences=tuple(sentences),
        notes=kept,
        side_by_side=triangle.table,
        target=triangle.target,
        verdict=triangle.verdict,
    )


def _check(given: Mapping[str, Estimate]) -> None:
    """Two estimates or more, of the same cells."""
    found_ = []
    if len(given) < 2:
        en, zh = (
            f"a comparison needs two estimates or more, not {len(given)}.",
            f"比较至少需要两个估计，现有 {len(given)} 个。",
        )
        do, do_zh = "Give csi.compare(est1, est2).", "请写 csi.compare(est1, est2)。"
        found_.append(problem("E-COMPARE", "estimates", en, zh, do, do_zh))
    first = next(iter(given.values()), None)
    for k, est in given.items():
        if first is not None and not _cells(first).equals(_cells(est)):
            en, zh = "its cells differ from those of the first.", "其单元与第一个估计不同。"
            do, do_zh = "Fit both with the same by= and where=.", "请用相同的 by= 与 where= 拟合。"
            found_.append(problem("E-COMPARE", f'estimate "{k}"', en, zh, do, do_zh))
        names = () if first is None else first.solution.constructs
        if names and set(names).isdisjoint(est.solution.constructs):
            en, zh = "it has no construct in common with the first.", "它与第一个估计没有共同的构念。"
            do, do_zh = "Compare models of the same constructs.", "请比较含相同构念的模型。"
            found_.append(problem("E-COMPARE", f'estimate "{k}"', en, zh, do, do_zh))
    if found_:
        raise Problems(found_)


def _cell_keys(est: Estimate) -> list[str]:
    """Key columns of the cells."""
    return [c for c in est.moments.cells.columns if c != "n"]


def _cells(est: Estimate) -> pl.DataFrame:
    """The cells without their sizes, one row each."""
    keys = _cell_keys(est)
    return est.moments.cells.select(keys) if keys else pl.DataFrame({"cells": [len(est.values)]})


def _values(est: Estimate, k: str) -> pl.DataFrame:
    """Estimates, errors and standardised values of one; PLS values are standardised."""
    frame = est.table.select(*_cell_keys(est), *_ROW, "estimate", "std_error", "std_all")
    if scaling(est) == ("standardised",):
        frame = frame.with_columns(std_all=pl.col("estimate"))
    lhs, rhs = (f("lhs", "rhs") for f in (pl.min_horizontal, pl.max_horizontal))
    same = pl.col("op") == "~~"
    key = pl.concat_str(
        pl.when(same).then(lhs).otherwise("lhs"), "op", pl.when(same).then(rhs).otherwise("rhs"), separator=" "
    )
    return frame.with_columns(key=key).rename({c: f"{c}_{k}" for c in ("estimate", "std_error", "std_all")})


def _read_values(est: Estimate, k: str) -> pl.DataFrame:
    """The same without the numbers of paths that must not be read; `_hidden_k` marks them."""
    frame, withheld = _values(est, k), withheld_cells(est, doubtful_cells(est))
    cells, per = len(est.values), len(est.rows)
    here = pl.Series([cell in withheld for cell in range(cells) for _ in range(per)], dtype=pl.Boolean)
    hidden = here & frame["op"].is_in(["~", ":="])
    numbers = [f"{c}_{k}" for c in ("estimate", "std_error", "std_all")]
    kept = [pl.when(hidden).then(None).otherwise(pl.col(c)).alias(c) for c in numbers]
    return frame.with_columns(*kept, hidden.alias(f"_hidden_{k}"))


def _differences(
    rows: pl.DataFrame,
    first: tuple[str, Estimate],
    k: str,
    basis: str,
    shared: Sequence[str],
    tolerance: float,
    *,
    expected: bool,
) -> tuple[pl.DataFrame, list[Note]]:
    """Difference from the first, in its standard errors, whether it is small; and constructs that were turned."""
    key, est = first
    rows = _with_error(rows, key, est, basis, shared)
    a, b, error = pl.col(f"{basis}_{key}"), pl.col(f"{basis}_{k}"), pl.col(f"_error_{key}_{basis}")
    notes = []
    if basis == "std_all":
        names = _reversed(rows, key, k)
        turn = pl.col("lhs").is_in(names) ^ (pl.col("rhs").is_in(names) & ~pl.col("op").is_in(["=~", "<~"]))
        b = pl.when(turn).then(-b).otherwise(b)
        if names:
            listed = ", ".join(names)
            en = f"turned round for the differences, because their items point the other way: {listed}."
            notes.append(note("N-COMPARE-SIGN", en, f"计算差异时已反转方向（题项方向相反）：{listed}。"))
    size = (b - a).abs()
    close = size <= tolerance * pl.max_horizontal(a.abs(), b.abs(), error.fill_null(0.0))
    return rows.with_columns(
        (b - a).alias(f"difference_{k}"),
        (size / error).alias(f"in_se_{k}"),
        (close if expected else pl.lit(None, pl.Boolean)).alias(f"agree_{k}"),
        (pl.col(f"std_error_{k}") / pl.col(f"std_error_{key}")).alias(f"se_ratio_{k}"),
    ), notes


def _with_error(rows: pl.DataFrame, key: str, est: Estimate, basis: str, shared: Sequence[str]) -> pl.DataFrame:
    """The first's standard error of what is compared, in a column of its own."""
    name = f"_error_{key}_{basis}"
    if name in rows.columns:
        return rows
    own = pl.col(f"std_error_{key}")
    if basis == "estimate" or scaling(est) == ("standardised",):
        return rows.with_columns(own.alias(name))
    if not isinstance(est.extra.get("sem"), Fitted):
        return rows.with_columns(pl.lit(None, pl.Float64).alias(name))
    on = [*shared, *_ROW]
    errors = standardised(est).select(*on, pl.col("std_error").alias(name))
    joined = rows.join(errors, on=on, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(pl.when(pl.col(name) > 0).then(name))


def _reversed(rows: pl.DataFrame, key: str, k: str) -> list[str]:
    """Constructs whose loadings and weights point the other way."""
    product = pl.col(f"std_all_{key}") * pl.col(f"std_all_{k}")
    measured = (
        rows.filter(pl.col("op").is_in(["=~", "<~"]))
        .group_by("lhs", maintain_order=True)
        .agg(product.sum().alias("way"))
    )
    return measured.filter(pl.col("way") < 0)["lhs"].to_list()


def _sentence(rows: pl.DataFrame, names: tuple[str, str], k: str, kind: Relation, basis: str) -> Text:
    """What the comparison found."""
    both = rows.filter(pl.col(f"difference_{k}").is_not_null())
    if not both.height:
        return Text(
            f"{names[0]} and {names[1]} have no parameter in common.", f"{names[0]} 与 {names[1]} 没有共同参数。"
        )
    worst = both.sort(pl.col(f"difference_{k}").abs()).row(-1, named=True)
    where = " ".join(str(worst[c]) for c in ("lhs", "op", "rhs") if worst[c])
    counts = int(both[f"agree_{k}"].sum() or 0), both.height
    return found(names, kind, basis, counts, (where, abs(worst[f"difference_{k}"]), worst[f"in_se_{k}"]))


def _alone(rows: pl.DataFrame, keys: tuple[str, str], names: tuple[str, str]) -> list[Note]:
    """Parameters that only one of two has."""
    notes = []
    for (a, b), name in ((keys, names[0]), (keys[::-1], names[1])):
        withheld = pl.col(f"_hidden_{b}").fill_null(value=False)
        only = rows.filter(pl.col(f"estimate_{a}").is_not_null(), pl.col(f"estimate_{b}").is_null(), ~withheld).height
        if only:
            en = f"{only} parameter{'s are' if only > 1 else ' is'} in {name} alone."
            notes.append(note("N-COMPARE-ALONE", en, f"{only} 个参数只出现在 {name} 中。"))
    return notes


def _fits(given: Mapping[str, Estimate], shared: Sequence[str]) -> pl.DataFrame:
    """Fit measures of those that have them, in one table."""
    fits = {k: fit_measures(e).table for k, e in given.items() if isinstance(e.extra.get("sem"), Fitted)}
    on = [*shared, "measure"]
    if not fits:
        return pl.DataFrame(schema={"measure": pl.String})
    out = pl.concat([f.select(on) for f in fits.values()]).unique(maintain_order=True)
    out = out.filter(pl.col("measure").is_in(MEASURES))
    for k, frame in fits.items():
        out = out.join(frame.select(*on, pl.col("value").alias(k)), on=on, how="left", maintain_order="left")
    return out


PARTS = {
    "path": Text("path", "路径"),
    "index": Text("index", "指数"),
    "total effect": Text("total effect", "总效应"),
    "driver rank": Text("driver rank", "驱动因素名次"),
    "rank": Text("rank", "名次"),
}
"""What the rows of `side_by_side` are."""


@text.register
def _(value: Comparison, lang: str = "en") -> str:
    """Names, what is compared, sentences, fit measures, notes; of more than two estimates what is read from them."""
    title = Text("Comparison: ", "比较：").say(lang) + Text("; ", "；").say(lang).join(
        f"{k} = {n}" for k, n in value.names.items()
    )
    verdict = [] if value.verdict is None else [value.verdict.say(lang)]
    many = len(value.names) > 2 and value.verdict is not None
    lines = [title, *verdict, "", *_read(value, lang)] if many else [title, *_pairs(value, lang)]
    lines += ["", *(s.say(lang) for s in value.sentences), *([] if many else verdict)]
    if value.fit.width > 1:
        lines += [
            "",
            listing(value.fit.head(ROWS), lang, words=("measure",)),
            *_left(value.fit.height - ROWS, ".fit", lang),
        ]
    return "\n".join([*lines, *(f"* {n.say(lang)}" for n in value.notes)])


def _pairs(value: Comparison, lang: str) -> list[str]:
    """Parameters that more than one has, beside the first."""
    first, *others = value.names
    keep = [
        c for c in value.table.columns if c.split("_")[0] not in {"std", "estimate", "se", "difference", "in", "agree"}
    ]
    shown = keep + [c for k in others for c in _shown_columns(value, first, k)]
    both = value.table.filter(pl.any_horizontal(pl.col(f"difference_{k}").is_not_null() for k in others))
    rows = _settled(both if both.height else value.table, value)
    frame = rows.select(list(dict.fromkeys(c for c in shown if rows[c].null_count() < rows.height)))
    return [listing(frame.head(ROWS), lang), *_left(value.table.height - min(frame.height, ROWS), ".table", lang)]


def _read(value: Comparison, lang: str) -> list[str]:
    """What is read from the estimates, the flagged rows first where there are many."""
    frame = value.side_by_side
    rows = frame.with_row_index("_at").sort(
        pl.col("differs").fill_null(value=False), descending=True, maintain_order=True
    )
    kept = frame if frame.height <= READ else rows.head(READ).sort("_at").drop("_at")
    headings = {f"value_{k}": k for k in value.names} | {
        "part": "",
        "name": "",
        "std_error": Text("std_error", "标准误").say(lang),
        "difference": Text("difference", "差异").say(lang),
        "in_se": Text("in_se", "标准误倍数").say(lang),
        "differs": Text("differs", "有别").say(lang),
    }
    shown = kept.with_columns(pl.col("part").replace({k: t.say(lang) for k, t in PARTS.items()}))
    shown = shown.select(c for c in shown.columns if shown[c].null_count() < shown.height)
    return [table(shown, headings=headings), *_left(frame.height - kept.height, ".side_by_side", lang)]


def _settled(rows: pl.DataFrame, value: Comparison) -> pl.DataFrame:
    """Differences within the tolerance as 0."""
    for k in (k for k in value.basis if f"agree_{k}" in rows.columns):
        within = pl.col(f"agree_{k}").fill_null(value=False) | (pl.col(f"difference_{k}").abs() < NOTHING)
        rows = rows.with_columns(
            pl.when(within & pl.col(c).is_not_null()).then(0.0).otherwise(c).alias(c)
            for c in (f"difference_{k}", f"in_se_{k}")
            if rows[c].null_count() < rows.height
        )
    return rows


def _left(rest: int, place: str, lang: str) -> list[str]:
    """How many rows are not printed."""
    if rest <= 0:
        return []
    return [Text(f"... {rest} more row{'s' * (rest > 1)} in {place}", f"……另有 {rest} 行，见 {place}").say(lang)]


def _shown_columns(value: Comparison, first: str, k: str) -> list[str]:
    """What is printed of a pair: the compared values, their difference and flag; errors where units are the same."""
    basis = value.basis[k]
    errors = [f"std_error_{first}", f"std_error_{k}"] if basis == "estimate" else []
    return [f"{basis}_{first}", f"{basis}_{k}", *errors, f"difference_{k}", f"in_se_{k}", f"agree_{k}"]
