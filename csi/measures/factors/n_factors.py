"""How many factors answers have, by every rule in use, side by side.

Letters: `p` items, `m` factors.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text, is_number, note, problem, reason, seed_problems, whole
from csi.measures.factors.correlations import Correlations, correlated
from csi.measures.factors.parallel import both_values, by_chance
from csi.measures.factors.retained import (
    Hull,
    common_part,
    comparative_fit,
    empirical_kaiser,
    freedom,
    hull,
    leading,
    partial_squares,
)
from csi.measures.factors.words import lines
from csi.moments.stack import Array

SOURCES = {
    "parallel_components": "Horn (1965), Psychometrika 30, 179-185; quantile: Glorfeld (1995), EPM 55, 377-393",
    "parallel_common": "Humphreys & Ilgen (1969), Educational and Psychological Measurement 29, 571-578",
    "map": "Velicer (1976), Psychometrika 41, 321-327",
    "map4": "Velicer, Eaton & Fava (2000), in Problems and solutions in human assessment, 41-71",
    "ekc": "Braeken & van Assen (2017), Psychological Methods 22, 450-466",
    "hull_caf": "Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364",
    "hull_cfi": "Lorenzo-Seva, Timmerman & Kiers (2011), Multivariate Behavioral Research 46, 340-364",
    "kaiser": "Kaiser (1960), Educational and Psychological Measurement 20, 141-151",
}
"""Rule -> where it comes from."""

LABELS = {
    "parallel_components": Text("parallel analysis, components", "平行分析（主成分）"),
    "parallel_common": Text("parallel analysis, common factors", "平行分析（公因子）"),
    "map": Text("minimum average partial", "最小平均偏相关"),
    "map4": Text("minimum average partial, revised", "最小平均偏相关（修订）"),
    "ekc": Text("empirical Kaiser criterion", "经验 Kaiser 准则"),
    "hull_caf": Text("hull, common part", "Hull（共同部分）"),
    "hull_cfi": Text("hull, CFI", "Hull（CFI）"),
    "kaiser": Text("eigenvalues above 1", "特征值大于 1"),
}

NO_ELBOW = reason(
    "R-NO-ELBOW",
    "fewer than three numbers of factors stand on the hull: there is no elbow.",
    "凸包上的因子数不足三个，没有拐点。",
)
NOT_POLYCHORIC = reason(
    "R-NO-LIKELIHOOD",
    "CFI needs a likelihood, which polychoric or singular correlations do not have.",
    "CFI 需要似然，而多分格相关或奇异矩阵没有似然。",
)
NO_MAP = reason("R-SINGULAR", "components explain an item in full.", "主成分完全解释了某个题项。")


@dataclass(frozen=True, slots=True, repr=False)
class NFactors(Shown):
    """How many factors each rule keeps.

    Attributes:
        table: one row per rule: method, factors (null with a reason), counted (whether it has a vote in `suggested`),
            reason, source.
        scree: number, eigenvalue, random_mean, random_high (quantile of components without factors), common,
            common_mean, common_high (the same of common factors), ekc (its reference), map and map4 (of that many
            components; those of none are the first entries of `zero`), caf and cfi (fit of that many factors).
        zero: map, map4 and caf of no factor. suggested: the number most rules with a vote name (parallel analysis of
            components decides between equals). low, high: least and greatest of those rules. intended: constructs.
        resamples, quantile, seed: of the parallel analysis. n, kind: of the correlations. reasons: code -> Reason.
        notes.
    """

    table: pl.DataFrame
    scree: pl.DataFrame
    zero: dict[str, float]
    suggested: int
    low: int
    high: int
    intended: int
    resamples: int
    quantile: float
    seed: int
    n: int
    kind: str
    reasons: dict[str, Reason]
    notes: tuple[Note, ...] = ()

    @property
    def votes(self) -> list[int]:
        """The numbers that rules with a vote keep, one per rule."""
        return [int(v) for v in self.table.filter("counted")["factors"].drop_nulls()]


@text.register
def _(value: NFactors, lang: str = "en") -> str:
    """The suggestion, the rules and the scree."""
    between = f"{value.low}" if value.low == value.high else f"{value.low}-{value.high}"
    counts = Counter(value.votes)
    split = sorted(k for k in counts if counts[k] == max(counts.values()))
    by, by_zh = f"{value.suggested} factors by most rules", f"多数规则建议 {value.suggested} 个因子"
    if len(split) > 1:
        by = f"the rules are split between {' and '.join(str(k) for k in split)} factors"
        by_zh = f"各规则意见不一，{'、'.join(str(k) for k in split)} 个因子得票相同"
    first = Text(
        f"{by} ({between} by all that count); {value.intended} constructs intended.",
        f"{by_zh}（计入的规则范围 {between}）；预期构念 {value.intended} 个。",
    )
    named = {k: (v.zh if lang == "zh" else v.en) for k, v in LABELS.items()}
    rules = value.table.select(pl.col("method").replace(named), "factors", "counted", "reason")
    scree = value.scree.select("number", "eigenvalue", "random_high", "common", "common_high", "ekc", "map")
    return lines(first, [rules, scree.head(max(10, value.high + 2))], value.notes, lang)


def n_factors(
    data: object,
    items: object = None,
    *,
    resamples: int = 1_000,
    quantile: float = 0.95,
    seed: int = 1,
    **further: Any,  # noqa: ANN401 - those of `correlations`
) -> NFactors:
    """Parallel analysis, minimum average partials, the empirical Kaiser criterion, the hull and Kaiser's rule.

    Parallel analysis keeps eigenvalues as long as they exceed the quantile of those of answers without factors: normal
    ones for Pearson correlations, shuffled categories for polychoric ones, of as many rows as a pair of items has
    (median). The hull looks at 0 factors up to one more than parallel analysis of components keeps.

    Parameters:
        data: correlations of `csi.correlations`, a Panel or a frame. items, further: as in `csi.correlations`.
        resamples: of the parallel analysis, 100 or more. quantile: between 0 and 1. seed: of the draws.

    Returns:
        An `NFactors`.

    Raises:
        Problems: unusable settings; what `csi.correlations` raises.

    Source: of each rule in `table`; their comparison, and that agreement is a better guide than any one: Auerswald &
        Moshagen (2019), Psychological Methods 24, 468-491.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> f = np.repeat(rng.normal(size=(300, 2)), 4, axis=1)
        >>> frame = pl.DataFrame(f + rng.normal(size=(300, 8)), schema=[f"q{k}" for k in range(1, 9)])
        >>> n_factors(frame, {"a": ["q1", "q2", "q3", "q4"], "b": ["q5", "q6", "q7", "q8"]}, resamples=200).suggested
        2
    """
    _check(resamples, quantile, seed)
    given = correlated(data, items, further)
    rows = _rows(given)
    observed, chance = (
        both_values(given.matrix[None]),
        both_values(by_chance(given.thresholds, (rows, len(given.names)), resamples, seed)),
    )
    high = [np.quantile(one, quantile, axis=0) for one in chance]
    kept = {
        "parallel_components": leading(observed[0][0] > high[0]),
        "parallel_common": leading(observed[1][0] > high[1]),
    }
    reference = empirical_kaiser(given.eigenvalues, rows)
    partials = {"map": partial_squares(given.matrix), "map4": partial_squares(given.matrix, power=4)}
    hulls = _hulls(given, rows, kept["parallel_components"])
    found: dict[str, int | Reason] = {
        **kept,
        **{name: NO_MAP if np.isnan(v[1:]).all() else int(np.nanargmin(v)) for name, v in partials.items()},
        "ekc": leading(given.eigenvalues > reference),
        **{name: _elbow(one) for name, one in hulls.items()},
        "kaiser": int((given.eigenvalues > 1).sum()),
    }
    votes = [v for name, v in found.items() if isinstance(v, int) and name != "kaiser"]
    fits = {name.removeprefix("hull_"): _fit(one) for name, one in hulls.items()}
    spread = [(one.mean(axis=0), top) for one, top in zip(chance, high, strict=True)]
    return NFactors(
        table=_table(found),
        scree=_scree((given.eigenvalues, observed[1][0]), spread, reference, {**partials, **fits}),
        zero={name: float(v[0]) for name, v in {**partials, **fits}.items() if np.isfinite(v[0])},
        suggested=_agreed(votes, kept["parallel_components"]),
        low=min(votes),
        high=max(votes),
        intended=len(given.scales),
        resamples=resamples,
        quantile=quantile,
        seed=seed,
        n=given.n,
        kind=given.kind,
        reasons={r.code: r for r in found.values() if isinstance(r, Reason)},
        notes=(*given.notes, *_notes(found)),
    )


def _scree(
    observed: tuple[Array, Array], spread: list[tuple[Array, Array]], reference: Array, by_number: dict[str, Array]
) -> pl.DataFrame:
    """Eigenvalues beside those by chance; what is known by number of factors (from 0 on) beside its number."""
    p = reference.size
    columns = {
        "number": np.arange(1, p + 1),
        "eigenvalue": observed[0],
        "random_mean": spread[0][0],
        "random_high": spread[0][1],
        "common": observed[1],
        "common_mean": spread[1][0],
        "common_high": spread[1][1],
        "ekc": reference,
        **{name: np.concatenate([v[1:], np.full(p + 1 - v.size, np.nan)]) for name, v in by_number.items()},
    }
    return pl.DataFrame(columns).with_columns(pl.selectors.float().fill_nan(None))


def _check(resamples: int, quantile: float, seed: int) -> None:
    found = [*whole("resamples", resamples), *seed_problems(seed)]
    if not found and resamples < 100:
        en, zh = f"{resamples} resamples are too few for a quantile.", f"{resamples} 次重抽样不足以给出分位数。"
        found.append(problem("E-SETTING", "resamples", en, zh, "Use 100 or more.", "请用 100 次或以上。"))
    if not is_number(quantile) or not 0 < quantile < 1:
        en, zh = f"quantile is between 0 and 1, not {quantile}.", f"quantile 应在 0 与 1 之间，而不是 {quantile}。"
        found.append(problem("E-SETTING", "quantile", en, zh, "Use quantile=0.95.", "请用 quantile=0.95。"))
    if found:
        raise Problems(found)


def _rows(given: Correlations) -> int:
    """Rows behind a correlation: the median over the pairs."""
    i, j = np.triu_indices(len(given.names), 1)
    return int(np.median(given.pair_n[i, j]))


def _hulls(given: Correlations, rows: int, components: int) -> dict[str, Hull | None]:
    """The hull by CAF and, where there is a likelihood, by CFI."""
    p = len(given.names)
    most = min(max(components, 1) + 1, p - 1)
    while most > 1 and freedom(p, most) < 0:
        most -= 1
    likely = given.kind == "pearson" and given.definite
    return {
        "hull_caf": hull(common_part(given.matrix, most), p),
        "hull_cfi": hull(comparative_fit(given.matrix, rows, most), p) if likely else None,
    }


def _elbow(one: Hull | None) -> int | Reason:
    if one is None:
        return NOT_POLYCHORIC
    return NO_ELBOW if one.best is None else one.best


def _fit(one: Hull | None) -> Array:
    return np.array([np.nan]) if one is None else one.fit


def _agreed(votes: list[int], components: int) -> int:
    """The number most rules name; between equals the one nearest to parallel analysis of components."""
    counted = Counter(votes)
    return min(counted, key=lambda k: (-counted[k], abs(k - components), k))


def _table(found: dict[str, int | Reason]) -> pl.DataFrame:
    rows = [
        {
            "method": name,
            "factors": value if isinstance(value, int) else None,
            "counted": name != "kaiser" and isinstance(value, int),
            "reason": value.code if isinstance(value, Reason) else None,
            "source": SOURCES[name],
        }
        for name, value in found.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"factors": pl.Int64, "reason": pl.String})


def _notes(found: dict[str, int | Reason]) -> list[Note]:
    en = "eigenvalues above 1 keep too many factors as a rule (Zwick & Velicer, 1986): shown, without a vote."
    zh = "“特征值大于 1”通常保留过多因子（Zwick 和 Velicer，1986）：仅列出，不计入。"
    notes = [note("N-KAISER", en, zh)]
    if found["parallel_components"] == 0 and found["parallel_common"] == 0:
        en = "no eigenvalue exceeds chance: the items share no factor that these answers can tell."
        notes.append(note("W-NO-FACTOR", en, "没有特征值超过随机水平：这些回答看不出共同因子。"))
    return notes
