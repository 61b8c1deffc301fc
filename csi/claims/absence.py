"""Whether an arrow that a card claims to be absent is absent: an interval that holds 0 does not show it.

    p = 2 (1 - Phi(|b| / se))                                        that b differs from 0 (Wald)
    p_equivalence = max of 1 - Phi((margin - b) / se), 1 - Phi((margin + b) / se)     that |b| < margin (two one-sided)

Absence is shown where p_equivalence < .05: a standardised path of at least the margin, either way, is ruled out.

Source:
    Schuirmann (1987), J. of Pharmacokinetics and Biopharmaceutics 15, 657-680; Lakens (2017), Social Psychological and
    Personality Science 8, 355-362; Cohen (1988) calls a correlation of .10 small.
"""

from __future__ import annotations

import polars as pl
from scipy.special import ndtr

from csi.claims.signs import AGAINST, AS_EXPECTED, OPEN
from csi.errors import Text
from csi.measures.findings import number
from csi.models.model import Model

MARGIN = 0.1
"""A standardised path below this size is called as good as absent."""
CLEAR = 0.05
"""Level of both tests."""


def wald(estimate: float | None, std_error: float | None) -> tuple[float | None, float | None]:
    """p-values that a path differs from 0, and that it is smaller than the margin either way.

    Example:
        >>> [round(p, 4) for p in wald(0.02, 0.03)], [round(p, 4) for p in wald(0.02, 0.2)]
        ([0.505, 0.0038], [0.9203, 0.3446])
        >>> wald(0.02, None)
        (None, None)
    """
    if estimate is None or std_error is None or not std_error > 0:
        return None, None
    apart = 2 * ndtr(-abs(estimate) / std_error)
    return float(apart), float(max(ndtr((estimate - MARGIN) / std_error), ndtr((-MARGIN - estimate) / std_error)))


def absence(p: float | None, p_equivalence: float | None) -> str | None:
    """A claim of absence held against both tests: shown, contradicted, or neither.

    Example:
        >>> absence(0.5, 0.004), absence(0.001, 0.6), absence(0.9, 0.34), absence(0.01, 0.001), absence(None, None)
        ('as expected', 'against', 'open', 'as expected', None)
    """
    if p is None or p_equivalence is None:
        return None
    if p_equivalence < CLEAR:
        return AS_EXPECTED
    return AGAINST if p < CLEAR else OPEN


def tested(table: pl.DataFrame) -> pl.DataFrame:
    """Rows of paths claimed to be absent with `p_value`, `p_equivalence` and the verdict that follows.

    A verdict that was withheld stays withheld.
    """
    found = [wald(b, se) for b, se in table.select("estimate", "std_error").iter_rows()]
    told = [absence(*p) if v is not None else None for p, v in zip(found, table["verdict"], strict=True)]
    return table.with_columns(
        pl.Series("p_value", [p for p, _ in found], dtype=pl.Float64),
        pl.Series("p_equivalence", [p for _, p in found], dtype=pl.Float64),
        pl.Series("verdict", told, dtype=pl.String),
    )


def absence_sentences(table: pl.DataFrame, model: Model) -> tuple[Text, ...]:
    """Of every path claimed to be absent: shown, contradicted, or neither, and why.

    Example:
        >>> row = {"outcome": ["y"], "predictor": ["x"], "expected": ["0"], "estimate": [0.02], "conf_low": [-0.38],
        ...        "conf_high": [0.41], "verdict": ["open"], "p_value": [0.92], "p_equivalence": [0.34]}
        >>> absence_sentences(pl.DataFrame(row), Model(()))[0].en[:80]
        'Whether x goes with y is left open: the path that the card claims to be absent i'
    """
    if "p_equivalence" not in table.columns:
        return ()
    keys = table.columns[: table.columns.index("outcome")]
    told = table.filter(pl.col("expected") == "0", pl.col("verdict").is_not_null())
    made = []
    for row in told.iter_rows(named=True):
        cell = " ".join(str(row[k]) for k in keys if row[k])
        said = _one(row["verdict"], row, model)
        en = said.en if not cell else said.en[:1].lower() + said.en[1:]
        made.append(Text(f"{cell}: {en}", f"{cell}：{said.zh}") if cell else said)
    return tuple(made)


def _one(verdict: str, row: dict[str, float], model: Model) -> Text:
    """One claim of absence in words."""
    x, y = str(row["predictor"]), str(row["outcome"])
    a, b, a_zh, b_zh = model.label(x), model.label(y), model.label(x, "zh"), model.label(y, "zh")
    value = number(row["estimate"])
    if row["conf_low"] is not None and row["conf_high"] is not None:
        value += f" [{number(row['conf_low'])}, {number(row['conf_high'])}]"
    margin, margin_zh = f"{MARGIN:.2f}".lstrip("0"), f"{MARGIN:.2f}"
    p, same = (_p(row[c]) for c in ("p_value", "p_equivalence"))
    if verdict == AS_EXPECTED:
        return Text(
            f"{a} does not go with {b}, as the card claims: the path is {value}, and one of {margin} or more either "
            f"way is ruled out (equivalence p {same}).",
            f"{a_zh}与{b_zh}无关，与模型卡一致：路径为 {value}，可排除绝对值达到 {margin_zh} 的路径"
            f"（等效检验 p {same}）。",
        )
    if verdict == AGAINST:
        return Text(
            f"{a} goes with {b}, which the card claims it does not: the path is {value} (p {p}).",
            f"{a_zh}与{b_zh}相关，与模型卡的主张不符：路径为 {value}（p {p}）。",
        )
    return Text(
        f"Whether {a} goes with {b} is left open: the path that the card claims to be absent is {value}, not "
        f"distinguishable from 0 (p {p}), but the interval is too wide to rule out one of {margin} or more "
        f"(equivalence p {same}); absence is not shown.",
        f"{a_zh}与{b_zh}是否相关尚无定论：模型卡主张为零的路径为 {value}，与 0 无显著差异（p {p}），"
        f"但区间过宽，不能排除绝对值达到 {margin_zh} 的路径（等效检验 p {same}），不足以证明其不存在。",
    )


def _p(value: float) -> str:
    """A p-value with its sign."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
