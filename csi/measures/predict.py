"""Out-of-sample prediction: `predict(est)` (PLSpredict).

Letters: `b` cells, `t` items and `e` constructs that are predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Reason, Text, note, one_of, problem, reason
from csi.estimate.estimate import Estimate
from csi.estimate.given import check_estimate
from csi.inference.lost import cause_zh
from csi.inference.resample import rows_behind
from csi.measures.folds import Folds, fold_problems
from csi.measures.linear_prediction import Benchmark, Technique
from csi.measures.predictive_power import power_of, sentence_of
from csi.measures.product_columns import product_problems
from csi.measures.shown import part, told
from csi.measures.tidy import cells_of, number_column, said_once, tidy
from csi.measures.validated import PREDICTORS, Validated, validated
from csi.moments.stack import Array, Ints

NO_PREDICTION = reason(
    "no_prediction",
    "no training set has a usable solution, or too few rows for this predictor.",
    "没有任何训练集给出可用的解，或样本不足以使用该预测方法。",
)
NO_FOLDS = reason(
    "few_for_folds",
    "the cell has fewer respondents (or clusters) than folds, or all its rows in one fold; nothing is predicted there.",
    "该单元的受访者（或聚类）少于折数，或所有行在同一折，未作预测。",
)
ZERO_ANSWER = reason(
    "zero_answer", "an answer is 0, so no error is relative to it.", "存在取值为 0 的回答，相对误差无定义。"
)


@dataclass(frozen=True, slots=True, repr=False)
class Prediction(Shown):
    """What `predict` found. Each frame starts with the cell's key columns.

    Attributes:
        table: construct, item, rmse, mae, mape, q2_predict, lm_rmse, lm_mae, lm_mape, ia_rmse, ia_mae, skewness (of
            the model's errors), reason. q2_predict compares with the indicator average (IA).
        constructs: construct, rmse, mae, q2_predict (of its scores, standard deviation 1), items, above (how many
            have Q2predict > 0), better (how many the model predicts better than LM), power ("high", "medium", "low",
            "none"), by ("rmse" or "mae").
        rows: row (number in the data as read), item, answer, predicted (mean over repetitions).
        folds, repetitions, technique, benchmark, seed: what was asked for. reasons, notes.
    """

    table: pl.DataFrame
    constructs: pl.DataFrame
    rows: pl.DataFrame
    folds: int
    repetitions: int
    technique: str
    benchmark: str
    seed: int
    notes: tuple[Note, ...]
    reasons: Mapping[str, Reason]

    @property
    def sentences(self) -> tuple[Text, ...]:
        """One sentence per cell and construct: the predictive power of the model."""
        keys = self.constructs.columns[: self.constructs.columns.index("construct")]
        return tuple(sentence_of(row, keys) for row in self.constructs.iter_rows(named=True))


TECHNIQUES = {"ea": Text("earliest antecedents", "最早前因"), "da": Text("direct antecedents", "直接前因")}
"""Whose scores predict, in words."""

BENCHMARKS = {
    "exogenous": Text("exogenous", "外生构念的"),
    "antecedents": Text("antecedents", "直接前因的"),
    "all": Text("all", "其他全部构念的"),
}
"""Whose items the linear model takes, in words."""


@text.register
def _(value: Prediction, lang: str = "en") -> str:
    """Errors of items and constructs, a sentence per construct, notes."""
    how, base = TECHNIQUES[value.technique], BENCHMARKS[value.benchmark]
    title = Text(
        f"Out-of-sample prediction ({value.folds} folds x {value.repetitions}, {how.en}, LM: {base.en} items)",
        f"样本外预测（{value.folds} 折 × {value.repetitions} 次，{how.zh}；线性模型基准：{base.zh}题项）",
    )
    hidden = {"mape", "lm_mape", "skewness"} | ({"reason"} if set(value.reasons) <= {ZERO_ANSWER.code} else set())
    items = value.table.select(c for c in value.table.columns if c not in hidden)
    lines = part(title, items, lang, ".table")
    lines += ["", *part(Text("Constructs", "构念"), value.constructs.drop("by", "above"), lang, ".constructs"), ""]
    lines += [s.say(lang) for s in value.sentences]
    return "\n".join([*lines, *told([r for r in value.reasons.values() if r is not ZERO_ANSWER], value.notes, lang)])


def predict(
    est: Estimate,
    folds: Folds = 10,
    repetitions: int = 10,
    *,
    technique: Technique = "ea",
    benchmark: Benchmark | None = None,
    seed: int = 1,
) -> Prediction:
    """How well the model predicts answers of respondents it has not seen, beside a linear model and plain averages.

    Every fold is predicted by the model fitted to the other folds. Errors are on the items' own scales; squared and
    absolute errors are averaged over repetitions, then over (weighted) rows.

        Q2predict = 1 - sum of squared errors / sum of squared errors of the training means (IA)

    Of a construct, the model has high predictive power when all its items have smaller errors than by LM, medium when
    most have, low when some have, none when none has or when Q2predict of an item is not positive.

    A product of constructs enters with the product of their scores in the rows held out (predicted ones where they are
    endogenous and "ea" is asked for), standardised and centred as in the training rows. LM has no products.

    Parameters:
        est: a fit of composites from rows. folds: how many, or the fold of every row as read (then one repetition).
            Respondents with several rows, and clusters, are held out together. repetitions: divisions into folds.
        technique: "ea" predicts from the scores of exogenous constructs, "da" from those of direct antecedents.
        benchmark: whose items LM takes: "exogenous" (default of "ea"), "antecedents" (default of "da"), "all" other
            constructs' (seminr). seed: the same seed gives the same folds whatever the order of rows.

    Returns:
        A `Prediction`.

    Raises:
        Problems: no rows, no endogenous construct, more folds than respondents in every cell, unknown settings,
            products of items (`interaction="product"`), which have no score in new rows.

    Source:
        Shmueli et al. (2016), Journal of Business Research 69(10); Shmueli et al. (2019), European Journal of Marketing
        53(11). Agrees with seminr 2.3.4 on the same folds within 1e-6 (tests/measures/test_predict.py).

    Example:
        >>> import csi
        >>> rng = np.random.default_rng(1)
        >>> a = rng.standard_normal(200)
        >>> rows = np.column_stack([a, a, 0.8 * a, 0.8 * a]) + 0.6 * rng.standard_normal((200, 4))
        >>> frame = pl.DataFrame(rows, schema=["a1", "a2", "b1", "b2"])
        >>> est = csi.fit("A =~ a1 + a2; B =~ b1 + b2; B ~ A", frame, csi.PLS())
        >>> predict(est, repetitions=2).constructs["q2_predict"].item() > 0.4
        True
    """
    check_estimate(est)
    found = prediction_problems(est, folds, repetitions, technique, benchmark, seed)
    if found:
        raise Problems(found)
    which: Benchmark = benchmark or default_benchmark(technique)
    cells = validated(est, folds, repetitions, technique, which, seed)
    times = repetitions if isinstance(folds, int) else 1
    measured = [item_measures(cell) for cell in cells]
    items, reasons = _items(est, cells, measured)
    return Prediction(
        table=items,
        constructs=_constructs(est, cells, measured),
        rows=_rows(est, cells),
        folds=max(cell.trained for cell in cells) // times,
        repetitions=times,
        technique=technique,
        benchmark=which,
        seed=seed,
        notes=(*est.notes, *notes_of(cells)),
        reasons=reasons,
    )


def default_benchmark(technique: Technique) -> Benchmark:
    """The linear model that knows what the technique knows."""
    return "exogenous" if technique == "ea" else "antecedents"


def prediction_problems(
    est: Estimate, folds: Folds, repetitions: int, technique: str, benchmark: str | None, seed: int
) -> list[Problem]:
    """What keeps a model from being cross-validated, all at once."""
    found = one_of("technique", technique, get_args(Technique))
    if benchmark is not None:
        found += one_of("benchmark", benchmark, get_args(Benchmark))
    if est.solution.weights is None or "sem" in est.extra:
        en, zh = "prediction from scores is for composite models.", "由得分预测只适用于合成模型。"
        found.append(problem("E-PREDICT", "estimate", en, zh, "Fit with csi.PLS().", "请用 csi.PLS() 拟合。"))
    elif not np.isfinite(est.solution.r2).any():
        en, zh = "no construct has predictors.", "没有任何构念含有预测构念。"
        found.append(problem("E-PREDICT", "model", en, zh, "Write a path such as b ~ a.", "请写出路径，如 b ~ a。"))
    found += product_problems(est)
    if est.sample is None:
        rows_behind(est)
    return found + fold_problems(est.sample, folds, repetitions, seed)


def _mean(values: Array, weight: Array, count: Ints) -> Array:
    """(t,) weighted mean over the rows that were predicted; NaN where none was."""
    w = weight[:, None] * (count > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(w > 0, w * values, 0.0).sum(axis=0) / w.sum(axis=0), dtype=np.float64)


def item_measures(cell: Validated) -> dict[str, Array]:
    """Errors by name, (t,) each, of the items of one cell, of the model and its benchmarks."""
    found = {}
    for name in PREDICTORS:
        e, prefix = cell.errors[name], "" if name == "pls" else f"{name}_"
        found[f"{prefix}rmse"] = np.sqrt(_mean(e.squared, cell.weight, cell.count))
        found[f"{prefix}mae"] = _mean(e.absolute, cell.weight, cell.count)
        found[f"{prefix}mape"] = _mean(e.relative, cell.weight, cell.count)
    with np.errstate(divide="ignore", invalid="ignore"):
        found["q2_predict"] = 1 - found["rmse"] ** 2 / found["ia_rmse"] ** 2
        found["skewness"] = _mean(cell.errors["pls"].cubed, cell.weight, cell.count) / found["rmse"] ** 3
    return found


SHOWN = (
    *("rmse", "mae", "mape", "q2_predict", "lm_rmse", "lm_mae", "lm_mape"),
    *("ia_rmse", "ia_mae", "skewness"),
)


Measured = dict[str, Array]
"""Errors by name, (t,) each, of the items of a cell."""


def _items(est: Estimate, cells: list[Validated], measured: list[Measured]) -> tuple[pl.DataFrame, dict[str, Reason]]:
    """The table of items, and why numbers are absent."""
    first = cells[0]
    labels = pl.DataFrame({"construct": [first.constructs[j] for j in first.block], "item": first.items})
    numbers = {name: np.stack([m[name] for m in measured]) for name in SHOWN}
    why: list[Reason | None] = []
    for s in range(len(cells)):
        for i in range(labels.height):
            absent = not np.isfinite([numbers["rmse"][s, i], numbers["lm_rmse"][s, i]]).all()
            zero = not np.isfinite(numbers["mape"][s, i])
            why.append(NO_FOLDS if not cells[s].trained else NO_PREDICTION if absent else ZERO_ANSWER if zero else None)
    frame = tidy(cells_of(est), labels, numbers, {"reason": [None if w is None else w.code for w in why]})
    return frame, said_once(why)


def _constructs(est: Estimate, cells: list[Validated], measured: list[Measured]) -> pl.DataFrame:
    """The table of constructs with the verdict on each."""
    first = cells[0]
    labels = pl.DataFrame({"construct": first.constructs})
    rmse, q2 = np.stack([np.sqrt(c.scores[0]) for c in cells]), np.stack([_one_less(c.scores) for c in cells])
    mae = np.stack([c.scores[2] for c in cells])
    frame = tidy(cells_of(est), labels, {"rmse": rmse, "mae": mae, "q2_predict": q2})
    both = list(zip(cells, measured, strict=True))
    judged = [power_of(found, cell.block == j) for cell, found in both for j in range(len(first.constructs))]
    schema = {"items": pl.Int64, "above": pl.Int64, "better": pl.Int64, "power": pl.String, "by": pl.String}
    return pl.concat([frame, pl.DataFrame(judged, schema=schema, orient="row")], how="horizontal")


def _one_less(scores: Array) -> Array:
    """1 - squared errors / squared scores."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - scores[0] / scores[1], dtype=np.float64)


def _rows(est: Estimate, cells: list[Validated]) -> pl.DataFrame:
    """Every answer with its prediction."""
    frames, every = [], cells_of(est)
    keys = [name for name in every.columns if name != "n"]
    for s, cell in enumerate(cells):
        n, t = cell.answers.shape
        predicted = np.where(cell.count > 0, cell.errors["pls"].predicted, np.nan)
        frame = pl.DataFrame(
            {
                "row": np.repeat(cell.place, t),
                "item": list(cell.items) * n,
                "answer": number_column(cell.answers),
                "predicted": number_column(predicted),
            }
        )
        frames.append(pl.concat([every[keys][np.full(n * t, s)], frame], how="horizontal") if keys else frame)
    found = pl.concat(frames)
    return found[np.argsort(found["row"].to_numpy(), kind="stable")]


def notes_of(cells: Sequence[Validated]) -> tuple[Note, ...]:
    """Training sets without a solution, by cause; answers that were missing; where LM cannot be computed."""
    found = []
    lost: dict[str, int] = {}
    for cell in cells:
        for cause, count in cell.lost.items():
            lost[cause] = lost.get(cause, 0) + count
    lost = {cause: count for cause, count in lost.items() if count}
    if lost:
        trained, listed = sum(c.trained for c in cells), "; ".join(f"{cause}: {count}" for cause, count in lost.items())
        listed_zh = "；".join(f"{cause_zh(cause)}：{count}" for cause, count in lost.items())
        en = f"{sum(lost.values())} of {trained} training sets have no usable solution ({listed}); what they hold out"
        zh = (
            f"{trained} 个训练集中有 {sum(lost.values())} 个没有可用的解（{listed_zh}），其留出行在该次重复中不作预测。"
        )
        found.append(note("N-FOLD-LOST", f"{en} is not predicted in that repetition.", zh))
    absent = sum(c.absent for c in cells)
    if absent:
        en = f"{absent} absent answers are taken at their training mean where they predict, and are not predicted."
        zh = f"{absent} 个缺失回答作为预测依据时取训练均值，且不作为预测对象。"
        found.append(note("N-PREDICT-ABSENT", en, zh))
    if any(c.without_lm for c in cells):
        en = "the linear model (LM) has too few rows or collinear items in some training set; it is left out there."
        zh = "某些训练集的样本不足或题项共线，无法得到线性模型基准（LM）。"
        found.append(note("N-LM-FEW", en, zh))
    return tuple(found)
