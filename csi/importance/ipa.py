"""Importance-performance analysis of attributes: quadrants and diagonal, how sure a place is, stated beside derived.

    opportunity_j = importance_j max(target - performance_j, 0), in percent of all
    ulwick_j = importance_j + max(importance_j - performance_j, 0), both 0-10
    priority_j = importance_j - performance_j, where both stand on 0-100 (above 0: above the diagonal)

Letters: `a` attributes, `n` respondents, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, one_of, problem
from csi.importance.ipa_words import lines_of, notes_of, sentences_of
from csi.importance.metrics import METRICS, battery, ranks_of
from csi.importance.shares import covariances
from csi.inference.draws import standard_error
from csi.inference.intervals import percentile
from csi.inference.resample import drawn_weights
from csi.measures.performance import hundred
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample

Centre = Literal["mean", "median", "scale"]
Derived = Literal["lmg", "johnson", "correlation", "beta"]
QUADRANTS: Final = ("improve", "keep", "ease", "low")
MIDDLE: Final = 50.0
FEWEST_DRAWS: Final = 100


@dataclass(frozen=True, slots=True, repr=False)
class Ipa(Shown):
    """Attributes by importance and performance.

    Attributes:
        table: attribute, stated (mean), derived (of the outcome), importance (the one the map takes), performance
            (means on 0-100 where bounds are known, else as asked), NAME_conf_low, NAME_conf_high, quadrant ("improve",
            "keep", "ease", "low"), probability (share of the draws with this quadrant), p_improve, p_keep, p_ease,
            p_low, priority (importance - performance) with priority_conf_low, priority_conf_high, opportunity (percent)
            with opportunity_conf_low, opportunity_conf_high, ulwick (opportunity score of stated importance, 0-20: both
            means on 0-10) with ulwick_conf_low, ulwick_conf_high, grid (stated beside derived: "key", "hidden", "said",
            "minor").
        cross: importance and performance of the cross-hair. centre, used ("stated" or "derived"), derived_by.
        agreement: Spearman's rank correlation of stated and derived importance, with its interval; NaN without both.
        n, level, sentences, notes.
    """

    table: pl.DataFrame
    cross: tuple[float, float]
    centre: Centre
    used: str
    derived_by: str
    agreement: tuple[float, float, float]
    n: int
    level: float
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Ipa, lang: str = "en") -> str:
    """Sentences, the table, notes."""
    return lines_of(value.sentences, value.table, value.notes, lang)


def ipa(
    data: object,
    performance: Mapping[str, str] | Sequence[str],
    *,
    stated: Mapping[str, str] | None = None,
    outcome: str | None = None,
    derived: Derived = "lmg",
    centre: Centre = "mean",
    target: float = 100.0,
    replicates: int = 500,
    level: float = 0.95,
    seed: int = 1,
    where: Mapping[str, str] | None = None,
    weight: str | None = None,
    unit: str | None = None,
    stratum: str | None = None,
    na: Sequence[float] = (),
    scale: tuple[float, float] | None = None,
) -> Ipa:
    """Importance and performance of attributes: data-centred quadrants with probabilities, diagonal, opportunities.

    Parameters:
        data: a Panel or frame. performance: attribute -> column of how well it is done (or the columns).
        stated: attribute -> column of how important customers say it is; the map takes it where it is given.
        outcome: a column from which importance is derived, by `derived`. Stated and derived importance are not the same
            thing; with both the map takes the stated one and the table sets them side by side.
        centre: where the cross-hair stands: "mean" or "median" of the attributes, or the middle of the "scale".
        target: the performance (0-100) that opportunities are measured up to.
        replicates: resamples for intervals and probabilities (0: none). level, seed: of intervals and resamples.
        where, weight, unit, stratum, na, scale: as in `csi.fit`.

    Returns:
        An `Ipa`, of respondents who answered everything.

    Raises:
        Problems: E-SETTING (fewer than two attributes, neither stated nor outcome, attributes without a stated column,
            settings that do not exist), E-COLUMN.

    Source:
        Martilla & James (1977), Journal of Marketing 41(1), 77-79; Sever (2015), Tourism Management 48, 43-53
        (diagonal and data-centred quadrants); Vavra (1997) (stated against derived); Ulwick (2002), Harvard Business
        Review 80(1), 91-97 (opportunity score; he rates both 1-10, later by the share of the two highest answers).

    Example:
        >>> frame = pl.DataFrame({"P1": [5, 6, 8, 9, 4], "P2": [8, 9, 7, 9, 8], "I1": [9, 9, 8, 10, 9],
        ...                       "I2": [5, 6, 4, 6, 5]})
        >>> found = ipa(frame, {"speed": "P1", "price": "P2"}, stated={"speed": "I1", "price": "I2"}, scale=(1, 10),
        ...             replicates=0)
        >>> found.table.select("attribute", "quadrant", pl.col("priority").round(1)).rows()
        [('speed', 'improve', 28.9), ('price', 'ease', -33.3)]
    """
    done = _columns(performance)
    wrong = [*_checked(done, stated, outcome, derived, centre), *_numbers(target, replicates, level)]
    if wrong:
        raise Problems(wrong)
    said = [stated[name] for name in done] if stated else []
    columns = list(dict.fromkeys([*done.values(), *said, *([outcome] if outcome else [])]))
    sample = sample_of(data, columns, (), where=where, weight=weight, unit=unit, stratum=stratum, na=na, scale=scale)
    asked = _Asked(sample, list(done.values()), said, outcome, derived, centre, target)
    return _made(asked, list(done), replicates, seed, level)


def _made(asked: _Asked, names: list[str], replicates: int, seed: int, level: float) -> Ipa:
    """Numbers of the sample and of its draws, with what is said of them."""
    value = asked.measured(asked.sample.weight[None])
    drawn = [asked.measured(w) for w in drawn_weights(asked.sample, replicates, seed)] if replicates else []
    draws = {k: np.concatenate([d[k] for d in drawn]) for k in value} if drawn else {}
    used, by = "stated" if asked.said else "derived", asked.derived if asked.outcome else ""
    table, agreement = _table(names, value, draws, level), _agreement(value, draws, level)
    notes = notes_of(asked.centre, used, by, scaled=asked.scaled, drawn=bool(draws))
    return Ipa(
        table=table,
        cross=(float(value["cross"][0, 0]), float(value["cross"][0, 1])),
        centre=asked.centre,
        used=used,
        derived_by=by,
        agreement=agreement,
        n=len(asked.sample.rows),
        level=level,
        sentences=sentences_of(table, agreement, asked.outcome or "", level),
        notes=(*asked.sample.notes, *notes),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is measured of a sample, under any weights of its rows."""

    sample: Sample
    done: list[str]
    said: list[str]
    outcome: str | None
    derived: Derived
    centre: Centre
    target: float

    @property
    def scaled(self) -> bool:
        """Whether all attributes have known bounds."""
        at = [self.sample.names.index(c) for c in (*self.done, *self.said)]
        return bool((self.sample.maximum[at] > self.sample.minimum[at]).all())

    def measured(self, weight: Array) -> dict[str, Array]:
        """Numbers of every attribute (m, a) under m weightings (m, n)."""
        rows, names = self.sample.rows, self.sample.names
        mean = weight @ rows / weight.sum(axis=1, keepdims=True)
        points = hundred(mean, self.sample.minimum, self.sample.maximum) if self.scaled else mean
        done = points[:, [names.index(c) for c in self.done]]
        out = {"performance": done}
        if self.said:
            out["stated"] = points[:, [names.index(c) for c in self.said]]
        if self.outcome:
            out["derived"] = self._derived(weight)
        own = out["stated"] if self.said else out["derived"]
        out["importance"] = own
        out["cross"] = np.stack(
            [
                self._middle(own, stated=bool(self.said)),
                self._middle(done, stated=True),
            ],
            axis=1,
        )
        out["place"] = placed(own, done, out["cross"])
        if self.said and self.scaled:
            out["priority"] = own - done
            out["ulwick"] = ulwick(own, done)
        out["opportunity"] = self._opportunity(own, done)
        if self.said and self.outcome:
            high = [v >= v.mean(axis=1, keepdims=True) for v in (out["stated"], out["derived"])]
            out["grid"] = 2.0 * high[0] + high[1]
        return out

    def _derived(self, weight: Array) -> Array:
        """(m, a) importance for the outcome."""
        columns = [self.sample.names.index(c) for c in (self.outcome or "", *self.done)]
        cov = covariances(self.sample.rows[:, columns], weight)
        sd = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
        with np.errstate(divide="ignore", invalid="ignore"):
            cor = cov / (sd[:, :, None] * sd[:, None, :])
        return battery(cor[:, 1:, 1:], cor[:, 1:, 0])[:, list(METRICS).index(self.derived)]

    def _middle(self, values: Array, *, stated: bool) -> Array:
        """(m,) where the cross-hair stands; derived importance has no scale, so that it takes the mean."""
        if self.centre == "median":
            return np.median(values, axis=1)
        if self.centre == "scale" and stated and self.scaled:
            return np.full(len(values), MIDDLE)
        return np.asarray(values.mean(axis=1))

    def _opportunity(self, own: Array, done: Array) -> Array:
        """(m, a) percent of all opportunities."""
        if not self.scaled:
            return np.full_like(own, np.nan)
        worth = np.maximum(own, 0.0) * np.maximum(self.target - done, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(100.0 * worth / worth.sum(axis=1, keepdims=True))


def ulwick(importance: Array, performance: Array) -> Array:
    """Ulwick's opportunity score, 0-20: importance + max(importance - satisfaction, 0), both brought to 0-10.

    Parameters:
        importance, performance: (...) on 0-100.

    Source:
        Ulwick (2002), Harvard Business Review 80(1), 91-97.

    Example:
        >>> ulwick(np.array([90.0, 40.0]), np.array([50.0, 80.0])).tolist()
        [13.0, 4.0]
    """
    return np.asarray((importance + np.maximum(importance - performance, 0.0)) / 10.0, dtype=np.float64)


def placed(importance: Array, performance: Array, cross: Array) -> Array:
    """(m, a) places of the quadrants in `QUADRANTS`; what lies on a line counts as above it.

    Parameters:
        importance, performance: (m, a). cross: (m, 2) where the cross-hair stands.

    Example:
        >>> placed(np.array([[9.0, 2.0]]), np.array([[40.0, 80.0]]), np.array([[5.0, 50.0]])).tolist()
        [[0.0, 2.0]]
    """
    high, good = importance >= cross[:, [0]], performance >= cross[:, [1]]
    return np.where(high, np.where(good, 1.0, 0.0), np.where(good, 2.0, 3.0))


GRID: Final = {3: "key", 1: "hidden", 2: "said", 0: "minor"}
"""2 x (high stated) + (high derived)."""


def _table(
    names: list[str],
    value: Mapping[str, Array],
    draws: Mapping[str, Array],
    level: float,
) -> pl.DataFrame:
    """One row per attribute."""
    told: dict[str, Array] = {}
    for name in (
        "stated",
        "derived",
        "importance",
        "performance",
        "priority",
        "opportunity",
        "ulwick",
    ):
        if name not in value:
            continue
        told[name] = value[name][0]
        if name in draws:
            told[f"{name}_std_error"] = standard_error(draws[name])
            told[f"{name}_conf_low"], told[f"{name}_conf_high"] = percentile(draws[name], level)
    frame = pl.DataFrame({"attribute": names}).with_columns(pl.Series(n, a).fill_nan(None) for n, a in told.items())
    place = value["place"][0].astype(int)
    frame = frame.with_columns(quadrant=pl.Series([QUADRANTS[k] for k in place]))
    if "place" in draws:
        shares = np.stack([(draws["place"] == k).mean(axis=0) for k in range(4)])
        frame = frame.with_columns(
            pl.Series("probability", shares[place, np.arange(len(names))]),
            *(pl.Series(f"p_{name}", shares[k]) for k, name in enumerate(QUADRANTS)),
        )
    if "grid" in value:
        frame = frame.with_columns(grid=pl.Series([GRID[int(v)] for v in value["grid"][0]]))
    return frame


def _agreement(value: Mapping[str, Array], draws: Mapping[str, Array], level: float) -> tuple[float, float, float]:
    """Spearman's rank correlation of stated and derived importance with its interval."""
    nothing = (float("nan"),) * 3
    if "grid" not in value or value["stated"].shape[1] < FEWEST:
        return nothing
    own = float(_spearman(value)[0])
    if not draws:
        return own, *nothing[:2]
    low, high = percentile(_spearman(draws)[:, None], level)
    return own, float(low[0]), float(high[0])


FEWEST: Final = 3


def _spearman(values: Mapping[str, Array]) -> Array:
    """(m,) rank correlations of stated and derived importance."""
    x, y = (ranks_of(values[n]) for n in ("stated", "derived"))
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return np.asarray((x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1)))


def _columns(performance: object) -> dict[str, str]:
    """Attribute -> column of performance."""
    if isinstance(performance, Mapping):
        return {str(k): str(v) for k, v in performance.items()}
    if isinstance(performance, Sequence) and not isinstance(performance, str):
        return {str(c): str(c) for c in performance}
    return {}


def _shared(done: Mapping[str, str], outcome: object) -> list[Problem]:
    """Columns that stand for two attributes, or for an attribute and the outcome."""
    found = []
    for col in dict.fromkeys(done.values()):
        names = [name for name, own in done.items() if own == col]
        if len(names) > 1:
            both = " and ".join(f'"{n}"' for n in names)
            en, zh = f'{both} are the same column, "{col}".', f"{'、'.join(names)} 指向同一列“{col}”。"
            do, do_zh = "Give each attribute a column of its own.", "请为每个属性指定各自的列。"
            found.append(problem("E-SETTING", "performance", en, zh, do, do_zh))
        if col == outcome:
            en, zh = (
                f'the outcome "{col}" is also the performance of "{names[0]}".',
                f"结果列“{col}”同时是属性“{names[0]}”的表现列。",
            )
            do, do_zh = "Leave it out of the attributes, or name another outcome.", "请从属性中去掉它，或另选结果列。"
            found.append(problem("E-SETTING", "outcome", en, zh, do, do_zh))
    return found


def _checked(
    done: Mapping[str, str], stated: object, outcome: object, derived: object, centre: object
) -> list[Problem]:
    """What is wrong with attributes and their columns, all at once."""
    found = [*one_of("derived", derived, get_args(Derived)), *one_of("centre", centre, get_args(Centre))]
    if len(done) < 2:
        en, zh = (
            f"a map needs at least two attributes, not {len(done)}.",
            f"至少两个属性才能构成图，现有 {len(done)} 个。",
        )
        do, do_zh = "Name at least two attributes, each with its column.", "请至少指定两个属性，各附其数据列。"
        found.append(problem("E-SETTING", "performance", en, zh, do, do_zh))
    found += _shared(done, outcome)
    if not stated and not outcome:
        en, zh = (
            "importance is neither stated nor to be derived.",
            "既没有自述的重要性，也没有用于推算的结果。",
        )
        do = "Give stated= (columns of importance) or outcome= (a column)."
        found.append(
            problem(
                "E-SETTING",
                "stated",
                en,
                zh,
                do,
                "请给出 stated=（重要性列）或 outcome=（结果列）。",
            )
        )
    lacking = [a for a in done if isinstance(stated, Mapping) and stated and a not in stated]
    if lacking or (stated and not isinstance(stated, Mapping)):
        en = f"no stated importance of {', '.join(lacking) or 'the attributes'}."
        zh = f"{'、'.join(lacking) or '各属性'} 没有自述的重要性。"
        found.append(
            problem(
                "E-SETTING",
                "stated",
                en,
                zh,
                "Give attribute -> column.",
                "请给出属性与列的对应。",
            )
        )
    return found


def _numbers(target: object, replicates: object, level: object) -> list[Problem]:
    """What is wrong with numbers that were asked for."""
    found = []
    if not isinstance(target, int | float) or isinstance(target, bool) or not 0 < target <= 100:
        en, zh = (
            f"a target is a performance above 0 up to 100, not {target}.",
            f"目标应在 0 与 100 之间，而不是 {target}。",
        )
        found.append(problem("E-SETTING", "target", en, zh, "Use target=100.", "请用 target=100。"))
    if (
        isinstance(replicates, bool)
        or not isinstance(replicates, int)
        or 0 < replicates < FEWEST_DRAWS
        or replicates < 0
    ):
        en, zh = (
            f"replicates are 0 or at least {FEWEST_DRAWS}, not {replicates}.",
            f"重抽样次数应为 0 或不少于 {FEWEST_DRAWS}，而不是 {replicates}。",
        )
        found.append(
            problem(
                "E-SETTING",
                "replicates",
                en,
                zh,
                "Use replicates=500.",
                "请用 replicates=500。",
            )
        )
    if isinstance(level, bool) or not isinstance(level, float) or not 0.5 <= level < 1:
        en, zh = (
            f"a level is between 0.5 and 1, not {level}.",
            f"置信水平应在 0.5 与 1 之间，而不是 {level}。",
        )
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.95.", "请用 level=0.95。"))
    return found
