"""The predictive power of a model for a construct: a verdict and its sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from csi.errors import Text
from csi.moments.stack import Array

SKEWED = 1.0
"""Errors with a larger skewness are compared by MAE instead of RMSE."""

POWERS: Final = {
    "high": Text("high predictive power", "预测力强"),
    "medium": Text("medium predictive power", "预测力中等"),
    "low": Text("low predictive power", "预测力弱"),
    "none": Text("no predictive power", "没有预测力"),
}


def power_of(
    measured: Mapping[str, Array], own: np.ndarray
) -> tuple[int, int | None, int | None, str | None, str | None]:
    """Items of a construct; those with Q2predict > 0; those better than LM; the verdict; the error it rests on.

    Errors are compared by RMSE, by MAE where some are skewed beyond 1.

    Source:
        Shmueli et al. (2019), European Journal of Marketing 53(11), fig. 2.

    Example:
        >>> measured = {"rmse": [1.0, 1.0], "lm_rmse": [1.1, 0.9], "q2_predict": [0.2, 0.1], "skewness": [0.0, 0.0]}
        >>> power_of({k: np.array(v) for k, v in measured.items()}, np.array([True, True]))
        (2, 2, 1, 'low', 'rmse')
    """
    count = int(own.sum())
    by = "mae" if (np.abs(measured["skewness"][own]) > SKEWED).any() else "rmse"
    ours, theirs, q2 = measured[by][own], measured[f"lm_{by}"][own], measured["q2_predict"][own]
    if not (count and np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return count, None, None, None, None
    above, better = int((q2 > 0).sum()), int((ours < theirs).sum())
    if above < count or better == 0:
        return count, above, better, "none", by
    return count, above, better, "high" if better == count else "medium" if 2 * better > count else "low", by


def sentence_of(row: Mapping[str, object], keys: Sequence[str]) -> Text:
    """How many items are predicted better than by the linear model, and what that is called."""
    place = " ".join(str(row[k]) for k in keys)
    en, zh = (f"{place}: ", f"{place}：") if place else ("", "")
    name, items, better = row["construct"], row["items"], row["better"]
    if not items:
        q2 = _printed(row["q2_predict"])
        return Text(
            f"{en}{name}: it has no items of its own to predict; Q2predict of its score is {q2}.",
            f"{zh}{name}：没有自己的题项可供预测，其得分的 Q²predict 为 {q2}。",
        )
    if row["power"] is None:
        return Text(f"{en}{name}: cannot be judged.", f"{zh}{name}：无法判断。")
    power, by = POWERS[str(row["power"])], str(row["by"]).upper()
    if row["above"] != items:
        return Text(
            f"{en}{name}: only {row['above']} of {items} items are predicted better than by their averages"
            f" (Q2predict > 0), all are needed; the model has {power.en} for it.",
            f"{zh}{name}：{items} 个题项中仅 {row['above']} 个优于均值预测（Q²predict > 0），须全部优于均值才可判定；"
            f"模型对其{power.zh}。",
        )
    return Text(
        f"{en}{name}: {better} of {items} items are predicted better than by the linear model ({by});"
        f" the model has {power.en} for it.",
        f"{zh}{name}：{items} 个题项中有 {better} 个优于线性模型（{by}），模型对其{power.zh}。",
    )


def _printed(value: object) -> str:
    """A share to two decimals, a dash where it is absent."""
    return f"{value:.2f}" if isinstance(value, float) else "-"
