"""How the formation of expectation reads: sentences, lines at the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text
from csi.inference.order_words import STRONG, WEAK
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "stage": Text("stage", "阶段"),
    "cause": Text("cause", "成因"),
    "items": Text("items", "题项数"),
    "n": Text("n", "样本量"),
    "mean": Text("mean", "均值"),
    "sd": Text("SD", "标准差"),
    "r": Text("r", "相关"),
    "slope": Text("slope", "斜率"),
    "std_error": Text("SE", "标准误"),
    "p_value": Text("p", "p 值"),
    "p_adjusted": Text("p (Holm)", "p（Holm）"),
    "beta": Text("beta", "标准化斜率"),
    "beta_low": Text("low", "下限"),
    "beta_high": Text("high", "上限"),
    "relative_weight": Text("relative weight", "相对权重"),
    "relative_low": Text("low ", "下限 "),
    "relative_high": Text("high ", "上限 "),
    "share": Text("share of R2", "占 R² 份额"),
    "share_low": Text("low  ", "下限  "),
    "share_high": Text("high  ", "上限  "),
    "vif": Text("VIF", "VIF"),
    "r2": Text("R2", "R²"),
    "r2_low": Text("low", "下限"),
    "r2_high": Text("high", "上限"),
    "r2_adjusted": Text("R2 adjusted", "调整后 R²"),
    "condition": Text("condition", "条件数"),
    "estimand": Text("compared", "比较的量"),
    "declared": Text("declared", "预先声明"),
    "hypothesis": Text("hypothesis", "假设"),
    "support": Text("bootstrap support", "重抽样支持度"),
    "weight": Text("GORICA weight", "GORICA 权重"),
    "weight_complement": Text("GORICA weight against complement", "GORICA 权重（对补集）"),
    "preferred": Text("order of the estimates", "估计值的次序"),
    "preferred_support": Text("its support", "其支持度"),
    "first": Text("stage", "阶段"),
    "second": Text("other stage", "另一阶段"),
    "difference": Text("difference of slopes", "斜率之差"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
}
WORDS: Final = {
    "relative_weight": Text("relative weight", "相对权重"),
    "beta": Text("standardised slope", "标准化斜率"),
    "slope": Text("slope", "斜率"),
}


def sentences_of(
    found: pl.DataFrame, fit: pl.DataFrame, orders: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str]
) -> tuple[Text, ...]:
    """Per cell: how much goes with the causes, and which accounts for most; then its hypotheses."""
    out: list[Text] = []
    tests = _partitioned(orders, keys)
    explained = {tuple(row[k] for k in keys): row["r2"] for row in fit.iter_rows(named=True)}
    for cell, part in told_cells(found, keys):
        at = tuple(cell.values())
        if explained[at] is not None:
            tested = [judged(o, labels) for o in tests.get(at, ()) if o["declared"]]
            out += of_cell(cell, [leader(part, explained[at], labels), *tested])
    return tuple(out)


def _partitioned(orders: pl.DataFrame, keys: Sequence[str]) -> dict[tuple[object, ...], list[dict[str, object]]]:
    """Rows of the hypotheses by cell."""
    found: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for row in orders.iter_rows(named=True):
        found.setdefault(tuple(row[k] for k in keys), []).append(row)
    return found


def leader(part: pl.DataFrame, r2: float, labels: Mapping[str, Text]) -> Text:
    """Which cause accounts for most; two whose intervals overlap are not put in order.

    Example:
        >>> part = pl.DataFrame({"cause": ["wom", "price"], "share": [0.8, 0.2], "share_low": [0.7, 0.1],
        ...                      "share_high": [0.9, 0.3]})
        >>> leader(part, 0.25, {"wom": Text("word of mouth", "口碑"), "price": Text("price", "价格")}).en
        'The causes account for 25.0% of the variance of expectation; most of it goes with word of mouth (80.0%).'
    """
    rows = part.sort("share", descending=True).head(2).rows(named=True)
    first, second = rows[0], rows[1]
    one, two = labels[first["cause"]], labels[second["cause"]]
    en = f"The causes account for {_percent(r2)} of the variance of expectation; "
    zh = f"各成因共解释期望方差的 {_zh(r2)}；"
    if first["share_low"] > second["share_high"]:
        en += f"most of it goes with {one.en} ({_percent(first['share'])})."
        zh += f"其中“{one.zh}”占比最大（{_zh(first['share'])}）。"
    else:
        en += f"{one.en} ({_percent(first['share'])}) and {two.en} ({_percent(second['share'])}) come first and"
        en += " cannot be put in order."
        zh += f"“{one.zh}”（{_zh(first['share'])}）与“{two.zh}”（{_zh(second['share'])}）居前，"
        zh += "两者先后难以区分。"
    return Text(en, zh)


def judged(row: Mapping[str, object], labels: Mapping[str, Text]) -> Text:
    """One hypothesis about the order: what the data say of it, and what they prefer.

    Example:
        >>> row = {"hypothesis": "a > b", "preferred": "b > a", "support": 0.03, "weight_complement": 0.05,
        ...        "preferred_support": 0.97}
        >>> judged(row, {"a": Text("A", "甲"), "b": Text("B", "乙")}).en
        'The data speak against A > B (support 0.03, GORICA weight 0.05 against its complement); they prefer B > A.'
    """
    weight = float(str(row["weight_complement"]))
    support = "-" if row["support"] is None else fixed(float(str(row["support"])))
    claim = spelled(str(row["hypothesis"]), labels)
    best = spelled(_restricted(str(row["preferred"]), str(row["hypothesis"])), labels)
    way = Text("speak for", "支持") if weight >= STRONG else Text("speak against", "不支持") if weight <= WEAK else None
    en = f"The data {way.en if way else 'do not decide on'} {claim.en}"
    zh = f"数据{way.zh if way else '尚不能判断'} {claim.zh}"
    en += f" (support {support}, GORICA weight {fixed(weight)} against its complement)"
    zh += f"（支持度 {support}，对其补集的 GORICA 权重 {fixed(weight)}）"
    same = best.en == claim.en
    return Text(en + ("." if same else f"; they prefer {best.en}."), zh + ("。" if same else f"；数据偏好 {best.zh}。"))


def _restricted(order: str, hypothesis: str) -> str:
    """An order of those that a hypothesis names.

    Example:
        >>> _restricted("a > c > b", "b > a")
        'a > b'
    """
    return " > ".join(name for name in order.split(" > ") if name in hypothesis.split())


def spelled(hypothesis: str, labels: Mapping[str, Text]) -> Text:
    """A hypothesis with labels in place of names.

    Example:
        >>> spelled("a > b & b > 0", {"a": Text("A", "甲"), "b": Text("B", "乙")}).zh
        '甲 > 乙 & 乙 > 0'
    """
    words = hypothesis.split()
    return Text(
        " ".join(labels[w].en if w in labels else w for w in words),
        " ".join(labels[w].zh if w in labels else w for w in words),
    )


def _percent(share: float) -> str:
    """A share in whole per cent."""
    return f"{100 * share:.1f}%"


def _zh(share: float) -> str:
    """The same as Chinese is set."""
    return f"{100 * share:.1f}%"


def in_words(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> pl.DataFrame:
    """A frame with causes and estimands in words."""
    names = {n: t.say(lang) or n for n, t in labels.items()}
    out = frame
    if "cause" in out.columns:
        out = out.with_columns(pl.col("cause").replace(names))
    if "estimand" in out.columns:
        out = out.with_columns(pl.col("estimand").replace({w: t.say(lang) for w, t in WORDS.items()}))
    for column in ("hypothesis", "preferred"):
        if column in out.columns:
            out = out.with_columns(pl.Series(column, [spelled(h, labels).say(lang) for h in out[column]]))
    return out


def printed(frame: pl.DataFrame, labels: Mapping[str, Text], lang: str) -> str:
    """A frame with headings and names in words."""
    return based(in_words(frame, labels, lang), HEADINGS, lang)


def lines_of(
    frames: tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame],
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, causes, the fit, orders, notes."""
    found, fit, orders = frames
    shown = found.drop("items", "mean", "sd", "p_value", "relative_low", "relative_high")
    lines = [*(s.say(lang) for s in sentences), "", printed(shown, labels, lang), "", printed(fit, labels, lang), ""]
    if orders.height:
        lines += [printed(orders, labels, lang), ""]
    return "\n".join([*lines, *told((), notes, lang)])
