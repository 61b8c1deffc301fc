"""The cross-validated predictive ability test: `cvpat(est)`.

Letters: `n` rows of a cell, `e` constructs that are predicted, `G` units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, is_number, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.resample import rows_behind
from csi.measures.folds import Folds
from csi.measures.linear_prediction import Benchmark, Technique
from csi.measures.predict import NO_FOLDS, default_benchmark, notes_of, prediction_problems
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, said_once, tidy
from csi.measures.validated import Validated, validated
from csi.moments.stack import Array, Ints

AGAINST: Final = {
    "ia": Text("the indicator average", "均值预测"),
    "lm": Text("the linear model", "线性模型"),
    "other": Text("the other model", "另一模型"),
}
OVERALL = "overall"
NO_LOSS = reason("no_loss", "no row is predicted by both.", "没有任何一行同时得到两者的预测。")


@dataclass(frozen=True, slots=True, repr=False)
class PredictiveAbility(Shown):
    """What `cvpat` found.

    Attributes:
        table: key columns, construct ("overall" for all items together), against ("ia", "lm", "other"), loss,
            loss_against, difference (loss - loss_against: negative where the model predicts better), std_error,
            statistic (t), df, p_value (two-sided), p_better (one-sided: the model is better), conf_low, conf_high,
            reason.
        level: of the interval. seed. notes, reasons.
    """

    table: pl.DataFrame
    level: float
    seed: int
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """Per cell and benchmark: whether the model predicts better, worse or neither, over all items."""
        keys = self.table.columns[: self.table.columns.index("construct")]
        rows = self.table.filter(construct=OVERALL).iter_rows(named=True)
        return tuple(_sentence(row, " ".join(str(row[k]) for k in keys)) for row in rows)


def _sentence(row: Mapping[str, object], place: str) -> Text:
    """The overall comparison in words; significant at 5 %, two-sided."""
    en, zh = (f"{place}: ", f"{place}：") if place else ("", "")
    than = AGAINST[str(row["against"])]
    difference, p = row["difference"], row["p_value"]
    if not isinstance(difference, float) or not isinstance(p, float):
        return Text(f"{en}no comparison with {than.en}.", f"{zh}无法与{than.zh}比较。")
    by = f"p = {p:.3f}" if p >= 0.001 else "p < .001"
    if p >= 0.05:
        return Text(
            f"{en}the model predicts neither better nor worse than {than.en} ({by}).",
            f"{zh}模型的预测与{than.zh}没有显著差异（{by}）。",
        )
    word = Text("better", "优于") if difference < 0 else Text("worse", "差于")
    return Text(
        f"{en}the model predicts {word.en} than {than.en} ({by}).", f"{zh}模型的预测显著{word.zh}{than.zh}（{by}）。"
    )


@text.register
def _(value: PredictiveAbility, lang: str = "en") -> str:
    """Losses and their differences, a sentence per benchmark, notes."""
    title = Text("Predictive ability (CVPAT, mean squared errors)", "预测能力检验（CVPAT，均方误差）")
    shown = value.table.select(pl.exclude("conf_low", "conf_high", "df"))
    lines = part(title, shown, lang, ".table")
    lines += ["", *(s.say(lang) for s in value.sentences)]
    return "\n".join([*lines, *told(value.reasons.values(), value.notes, lang)])


def cvpat(
    est: Estimate,
    other: Estimate | None = None,
    folds: Folds = 10,
    repetitions: int = 10,
    *,
    technique: Technique = "ea",
    benchmark: Benchmark | None = None,
    seed: int = 1,
    level: float = 0.95,
) -> PredictiveAbility:
    """Whether the model's out-of-sample errors differ from those of averages, of a linear model, of another model.

    A row's loss is the mean squared error of its items; D is the difference of two losses of a row. With clusters or
    several rows per respondent their sums are the independent pieces:

        t = mean(D) / SE,   SE^2 = G / (G - 1) sum_g (sum_i w_i (D_i - mean(D)) / sum(w))^2,   df = G - 1

    Parameters:
        est: a fit of composites from rows. other: another model fitted to the same rows; items that both predict are
            compared. folds, repetitions, technique, benchmark, seed: as in `csi.predict`. level: of the intervals.

    Returns:
        A `PredictiveAbility`.

    Raises:
        Problems: as `csi.predict`; models fitted to different rows, or without an item that both predict.

    Source:
        Liengaard et al. (2021), Decision Sciences 52(2); Sharma et al. (2023), European Journal of Marketing 57(6).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a = rng.standard_normal(200)
        >>> rows = np.column_stack([a, a, 0.8 * a, 0.8 * a]) + 0.6 * rng.standard_normal((200, 4))
        >>> frame = pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2"])
        >>> est = csi.fit("A =~ a1 + a2; B =~ b1 + b2; B ~ A", frame, csi.PLS())
        >>> found = cvpat(est, repetitions=2)
        >>> print(found.sentences[0].en)
        the model predicts better than the indicator average (p < .001).
    """
    check_estimate(est)
    found = prediction_problems(est, folds, repetitions, technique, benchmark, seed)
    if other is not None:
        found += prediction_problems(other, folds, repetitions, technique, benchmark, seed)
        found = list(dict.fromkeys(found)) or _of_other(est, other)
    if not (is_number(level) and 0.5 <= level < 1):
        en, zh = f"a level lies between 0.5 and 1, not at {level}.", f"置信水平应在 0.5 与 1 之间，而不是 {level}。"
        found.append(problem("E-SETTING", "level", en, zh, "Use level=0.95, say.", "例如 level=0.95。"))
    if found:
        raise Problems(found)
    which: Benchmark = benchmark or default_benchmark(technique)
    cells = validated(est, folds, repetitions, technique, which, seed)
    rivals = None if other is None else validated(other, folds, repetitions, technique, which, seed)
    stratum = rows_behind(est).stratum
    labels, losses = _losses(cells, rivals)
    compared = [[_compare(ours, theirs, cell, stratum, level) for ours, theirs in pairs]
                for cell, pairs in zip(cells, losses, strict=True)]  # fmt: skip
    numbers = {name: np.array([[c[name] for c in row] for row in compared]) for name in COLUMNS}
    why = [None if np.isfinite(c["difference"]) else NO_LOSS if cell.trained else NO_FOLDS
           for cell, row in zip(cells, compared, strict=True) for c in row]  # fmt: skip
    return PredictiveAbility(
        table=tidy(cells_of(est), labels, numbers, {"reason": [None if r is None else r.code for r in why]}),
        level=level,
        seed=seed,
        notes=(*est.notes, *dict.fromkeys((*notes_of(cells), *notes_of(rivals or [])))),
        reasons=said_once(why),
    )


COLUMNS = (
    *("loss", "loss_against", "difference", "std_error", "statistic", "df", "p_value", "p_better"),
    *("conf_low", "conf_high"),
)


def _of_other(est: Estimate, other: Estimate) -> list[Problem]:
    """The other model: the same rows, at least one item that both predict."""
    one, two = rows_behind(est), rows_behind(other)
    same = len(one.rows) == len(two.rows) and one.cells.equals(two.cells)
    if not same or not np.array_equal(np.sort(_places(one.place, one.cell)), np.sort(_places(two.place, two.cell))):
        en, zh = "the two models were fitted to different rows.", "两个模型所用的数据行不同。"
        do, do_zh = "Fit both to the rows that are complete for both.", "请用对两者都完整的数据行拟合。"
        return [problem("E-PREDICT", "other", en, zh, do, do_zh)]
    ends = [{i for c in e.model.constructs for i in c.items if e.model.predictors(c.name)} for e in (est, other)]
    if not ends[0] & ends[1]:
        en, zh = "no item is predicted by both models.", "没有任何题项被两个模型同时预测。"
        do, do_zh = "Compare models of the same outcomes.", "请比较结果变量相同的模型。"
        return [problem("E-PREDICT", "other", en, zh, do, do_zh)]
    return []


def _places(place: Ints | None, cell: Ints) -> Ints:
    """Cell and place of each row as one number."""
    at = np.arange(len(cell)) if place is None else place
    return np.asarray(cell * (int(at.max()) + 1) + at, dtype=np.int64)


Pair = tuple[Array, Array]
"""Losses (n,) of the model and of what it is compared with, NaN where a row has none."""


def _losses(cells: list[Validated], rivals: list[Validated] | None) -> tuple[pl.DataFrame, list[list[Pair]]]:
    """The rows of the table, and their losses in every cell."""
    first = cells[0]
    measured = [name for name in first.constructs if _own(first, name).any()]
    rows = [(name, against) for against in ("ia", "lm") for name in (*measured, OVERALL)]
    found = [[_pair(cell, _own(cell, name), against) for name, against in rows] for cell in cells]
    if rivals is not None:
        both = np.array([i in rivals[0].items for i in first.items])
        names = [n for n in first.constructs if (_own(first, n) & both).any()]
        more = [(name, "other") for name in (*names, OVERALL)]
        rows += more
        for pairs, cell, rival in zip(found, cells, rivals, strict=True):
            pairs += [_against(cell, rival, _own(cell, name) & both) for name, _ in more]
    return pl.DataFrame(rows, schema=["construct", "against"], orient="row"), found


def _own(cell: Validated, name: str) -> np.ndarray:
    """(t,) True for the items of a construct; all for the whole model."""
    if name == OVERALL:
        return np.ones(len(cell.items), dtype=bool)
    return np.asarray(cell.block == cell.constructs.index(name))


def _pair(cell: Validated, own: np.ndarray, against: str) -> Pair:
    """Losses of the model and of a benchmark over the same answers."""
    seen = cell.count[:, own] > 0
    return _loss(cell.errors["pls"].squared[:, own], seen), _loss(cell.errors[against].squared[:, own], seen)


def _against(cell: Validated, rival: Validated, own: np.ndarray) -> Pair:
    """Losses of two models over the answers that both predict; rows are matched by their place in the data."""
    columns = np.array([rival.items.index(i) for i, wanted in zip(cell.items, own, strict=True) if wanted])
    order = np.argsort(rival.place)[np.argsort(np.argsort(cell.place))]
    theirs, counted = rival.errors["pls"].squared[order][:, columns], rival.count[order][:, columns]
    seen = (cell.count[:, own] > 0) & (counted > 0)
    return _loss(cell.errors["pls"].squared[:, own], seen), _loss(theirs, seen)


def _loss(squared: Array, seen: np.ndarray) -> Array:
    """(n,) mean squared error of a row's items; NaN for a row without any."""
    times = seen.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(seen, squared, 0.0).sum(axis=1) / times, dtype=np.float64)


def _compare(ours: Array, theirs: Array, cell: Validated, stratum: Ints, level: float) -> dict[str, float]:
    """The test of one pair of losses."""
    kept = np.isfinite(ours) & np.isfinite(theirs)
    empty = dict.fromkeys(COLUMNS, np.nan)
    if kept.sum() < 2:
        return empty
    w, unit = cell.weight[kept], cell.unit[kept]
    D = ours[kept] - theirs[kept]
    total = w.sum()
    mean, error, df = mean_test(D, w, unit, stratum)
    t = mean / error if error > 0 else np.nan
    half = float(stdtrit(df, 0.5 + level / 2)) * error if df > 0 else np.nan
    return {
        "loss": float(w @ ours[kept] / total),
        "loss_against": float(w @ theirs[kept] / total),
        "difference": mean,
        "std_error": error,
        "statistic": t,
        "df": float(df),
        "p_value": float(2 * stdtr(df, -abs(t))) if df > 0 else np.nan,
        "p_better": float(stdtr(df, t)) if df > 0 else np.nan,
        "conf_low": mean - half,
        "conf_high": mean + half,
    }


def mean_test(D: Array, weight: Array, unit: Ints, stratum: Ints) -> tuple[float, float, int]:
    """Weighted mean, its linearised standard error over units within strata, and degrees of freedom.

    Parameters:
        D: (n,). weight: (n,). unit: (n,) number of each row's unit. stratum: (units,) stratum of each unit.

    Example:
        >>> D = np.array([1.0, 2.0, 3.0, 6.0])
        >>> mean, error, df = mean_test(D, np.ones(4), np.arange(4), np.zeros(4, dtype=np.int64))
        >>> mean, df, round(error, 4)
        (3.0, 3, 1.0801)
    """
    mean = float(weight @ D / weight.sum())
    units, at = np.unique(unit, return_inverse=True)
    u = np.bincount(at, weight * (D - mean) / weight.sum())
    _, layer = np.unique(stratum[units], return_inverse=True)
    size = np.bincount(layer)
    centred = u - (np.bincount(layer, u) / size)[layer]
    squares = np.bincount(layer, centred**2)
    variance = float((squares * size / np.maximum(size - 1, 1)).sum())
    return mean, float(np.sqrt(variance)), int(units.size - size.size)
