"""The customer lifecycle in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Text
from csi.estimate.shown import p_text
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

HEADINGS: Final = {
    "wave": Text("wave", "期次"),
    "stage": Text("stage", "阶段"),
    "n": Text("n", "样本量"),
    "count": Text("customers", "人数"),
    "share": Text("share", "占比"),
    "std_error": Text("SE", "标准误"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "from_wave": Text("from wave", "起始期"),
    "to_wave": Text("to wave", "到达期"),
    "origin": Text("from", "起始阶段"),
    "goal": Text("to", "到达阶段"),
    "expected": Text("expected if alike", "同质时期望频数"),
    "pairs": Text("pairs of waves", "相邻期数"),
    "x2": Text("X2 (Pearson)", "X²（皮尔逊）"),
    "g2": Text("G2 (likelihood ratio)", "G²（似然比）"),
    "df": Text("df", "自由度"),
    "p_value": Text("p (X2)", "p（X²）"),
    "p_g2": Text("p (G2)", "p（G²）"),
    "how": Text("distribution", "分布"),
    "least": Text("least expected", "最小期望频数"),
    "quantity": Text("quantity", "指标"),
    "waves": Text("after waves", "期数"),
    "at_risk": Text("at risk", "处于风险的人次"),
    "value": Text("value", "数值"),
}

ALL: Final = Text("all", "全部")
"""What stands for all waves, or all stages, together."""

WORDS: Final = {
    "chi-square": Text("chi-square", "卡方"),
    "same margins": Text("tables with these margins", "同边际随机表"),
    "design": Text("Rao-Scott F", "Rao–Scott F"),
    "absorbed": Text("share gone", "已流失占比"),
    "time": Text("mean waves until gone", "平均流失期数"),
}


def size_sentences(
    table: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text], waves: Sequence[str], level: float
) -> tuple[Text, ...]:
    """The largest stage of the last wave that is told, with its share in the first."""
    out: list[Text] = []
    for cell, part in told_cells(table, keys):
        shown = part.filter(pl.col("share").is_not_null())
        last = next((w for w in reversed(waves) if (shown["wave"] == w).any()), None)
        if last is None:
            continue
        row = shown.filter(wave=last).sort("share", descending=True, maintain_order=True).row(0, named=True)
        name, span = labels[row["stage"]], limits(row)
        value, apart = f"{fixed(100 * row['share'], 1)}%{span}", Text("", "")
        at, at_zh = (f" in {last}", f"{last} 期") if last else ("", "")
        en, zh = f"“{name.en}” is the largest stage{at}: {value}", f"{at_zh}人数最多的阶段为“{name.zh}”：{value}"
        before = shown.filter((pl.col("stage") == row["stage"]) & (pl.col("wave") != last))
        if before.height:
            old = before.row(0, named=True)
            en += f"; in {old['wave']} it was {fixed(100 * old['share'], 1)}%{limits(old)}"
            zh += f"；{old['wave']} 期为 {fixed(100 * old['share'], 1)}%{limits(old)}"
            apart = _apart(row, old)
        out += of_cell(
            cell, [Text(f"{en} ({100 * level:g}% intervals{apart.en}).", f"{zh}（{100 * level:g}% 区间{apart.zh}）。")]
        )
    return tuple(out)


def _apart(one: Mapping[str, float | None], other: Mapping[str, float | None]) -> Text:
    """Whether two intervals overlap; nothing where one is absent."""
    low, high = one["conf_low"], one["conf_high"]
    least, most = other["conf_low"], other["conf_high"]
    if low is None or high is None or least is None or most is None:
        return Text("", "")
    if low > most or least > high:
        return Text(", which do not overlap", "，二者不重叠")
    return Text(", which overlap", "，二者有重叠")


def limits(row: Mapping[str, float | None], low: str = "conf_low", high: str = "conf_high") -> str:
    """An interval of a share in percent; nothing where there is none.

    Example:
        >>> limits({"conf_low": 0.125, "conf_high": 0.25})
        ' [12.5, 25.0]'
    """
    a, b = row[low], row[high]
    return "" if a is None or b is None else f" [{100 * a:.1f}, {100 * b:.1f}]"


def move_sentences(table: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text]) -> tuple[Text, ...]:
    """From each stage: how many stay, and where most of the others go."""
    out: list[Text] = []
    for cell, part in told_cells(table.filter(from_wave="all"), keys):
        shown = part.filter(pl.col("share").is_not_null())
        for origin in shown["origin"].unique(maintain_order=True):
            rows = shown.filter(origin=origin)
            stay = rows.filter(goal=origin)
            name = labels[origin]
            en = zh = ""
            if stay.height:
                one = stay.row(0, named=True)
                value = f"{fixed(100 * one['share'], 1)}%{limits(one)}"
                en, zh = f"{value} stay until the next wave", f"{value} 在下一期留在原阶段"
            others = rows.filter((pl.col("goal") != origin) & (pl.col("count") > 0)).sort("share", descending=True)
            if others.height:
                one = others.row(0, named=True)
                value, to = f"{fixed(100 * one['share'], 1)}%{limits(one)}", labels[one["goal"]]
                en += f"{'; ' if en else ''}most of the others move to “{to.en}” ({value})"
                zh += f"{'；' if zh else ''}其余多转入“{to.zh}”（{value}）"
            out += of_cell(cell, [Text(f"Of “{name.en}”, {en}.", f"“{name.zh}”中，{zh}。")])
    return tuple(out)


def homogeneity_sentences(tests: pl.DataFrame, keys: Sequence[str], alpha: float) -> tuple[Text, ...]:
    """Whether moves differ between pairs of waves."""
    out: list[Text] = []
    for cell, part in told_cells(tests.filter(origin="all"), keys):
        row = part.row(0, named=True)
        if row["p_value"] is None:
            continue
        differ = row["p_value"] < alpha
        said = f"X2 = {fixed(row['x2'], 2)}, df = {row['df']}, p {p_said(row['p_value'])}"
        en = f"Moves {'differ' if differ else 'do not clearly differ'} between pairs of waves ({said})."
        zh = f"各相邻两期的转移占比{'存在差异' if differ else '没有明确差异'}（{said}）。"
        out += of_cell(cell, [Text(en, zh)])
    return tuple(out)


def p_said(p: float) -> str:
    """A p-value with its sign.

    Example:
        >>> p_said(0.0002), p_said(0.25)
        ('< .001', '= 0.250')
    """
    said = p_text(p)
    return said if said.startswith("<") else f"= {said}"


def churn_sentences(
    ahead: pl.DataFrame, keys: Sequence[str], labels: Mapping[str, Text], absorbing: str
) -> tuple[Text, ...]:
    """How long customers of each stage are expected to stay, if moves go on as they were."""
    out: list[Text] = []
    gone = labels.get(absorbing, Text(absorbing, absorbing))
    for cell, part in told_cells(ahead.filter(quantity="time"), keys):
        said, said_zh = [], []
        for row in part.drop_nulls("value").iter_rows(named=True):
            span = "" if row["conf_low"] is None else f" [{fixed(row['conf_low'], 1)}, {fixed(row['conf_high'], 1)}]"
            name, value = labels[row["origin"]], f"{fixed(row['value'], 1)}{span}"
            said.append(f"“{name.en}” {value}")
            said_zh.append(f"“{name.zh}” {value}")
        if said:
            en = f"If moves go on as observed, mean waves until “{gone.en}”: {'; '.join(said)}."
            zh = f"若转移规律不变，到达“{gone.zh}”的平均期数：{'；'.join(said_zh)}。"
            out += of_cell(cell, [Text(en, zh)])
    return tuple(out)
