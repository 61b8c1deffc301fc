"""What a multigroup analysis found, in a sentence per kind of parameter."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.measures.group_parameters import KINDS


def sentences_of(table: pl.DataFrame, over: pl.DataFrame, alpha: float, permutations: int) -> tuple[Text, ...]:
    """How many differences of each kind are found, and the largest of them.

    Parameters:
        table, over: rows of pairs and over all groups, as in `Differences`. permutations: how many p rests on.
    """
    out = []
    for kind, name in KINDS.items():
        rows = table.filter(pl.col("kind") == kind)
        if rows.height:
            out.append(_of_pairs(rows, name, alpha, permutations))
        joint = over.filter(pl.col("kind") == kind)
        if joint.height:
            out.append(_over_all(joint, name, alpha))
    return tuple(out)


def _of_pairs(rows: pl.DataFrame, name: Text, alpha: float, permutations: int) -> Text:
    """Differences between pairs of groups."""
    tested = rows.filter(pl.col("p_holm").is_not_null())
    hidden = rows.height - tested.height
    away, away_zh = (f"; {hidden} withheld", f"；{hidden} 项不予给出") if hidden else ("", "")
    found = tested.filter(pl.col("p_holm") < alpha).sort(pl.col("difference").abs(), descending=True)
    raw = tested.filter(pl.col("p_permutation") < alpha).height
    title = f"{name.en[0].upper()}{name.en[1:]}"
    if tested.height and rows.height / (permutations + 1) >= alpha:
        en = f"{title}: {rows.height} differences cannot be told apart from chance one by one at {alpha:g}: "
        en += f"{permutations} permutations are too few for Holm's correction ({raw} are below it before){away}."
        zh = f"{name.zh}：{permutations} 次置换不足以在 {alpha:g} 水平对 {rows.height} 项差异逐一作 Holm 校正检验"
        return Text(en, f"{zh}（校正前有 {raw} 项低于该水平）{away_zh}。")
    en = f"{title}: {found.height} of {tested.height} differences are significant at {alpha:g} "
    en += f"after Holm's correction ({raw} before it){away}"
    zh = f"{name.zh}：经 Holm 校正后，{tested.height} 项差异中有 {found.height} 项在 {alpha:g} 水平显著"
    zh += f"（校正前 {raw} 项）{away_zh}"
    if not found.height:
        return Text(f"{en}.", f"{zh}。")
    top = found.row(0, named=True)
    where, where_zh = _named(top)
    size = f"{top['estimate_1']:.3f} - {top['estimate_2']:.3f}"
    en += f"; the largest is {where}, {top['group_1']} less {top['group_2']}: {size} = {top['difference']:.3f}."
    zh += f"；最大者为{where_zh}（{top['group_1']} 减 {top['group_2']}）：{size} = {top['difference']:.3f}。"
    return Text(en, zh)


def _over_all(rows: pl.DataFrame, name: Text, alpha: float) -> Text:
    """Differences over all groups together."""
    found = rows.filter(pl.col("p_holm") < alpha)
    listed = ", ".join(_named(r)[0] for r in found.head(5).iter_rows(named=True))
    listed_zh = "、".join(_named(r)[1] for r in found.head(5).iter_rows(named=True))
    tested = rows.filter(pl.col("p_holm").is_not_null()).height
    if not tested:
        return Text(
            f"Over all groups none of the {name.en} could be tested.", f"全部组合在一起，没有可检验的{name.zh}。"
        )
    en = f"Over all groups {found.height} of {tested} {name.en} differ after Holm's correction" + (
        f": {listed}" if listed else ""
    )
    zh = f"全部组合在一起，经 Holm 校正后，{tested} 项{name.zh}中有 {found.height} 项不同" + (
        f"：{listed_zh}" if listed_zh else ""
    )
    more, more_zh = (", ...", "等") if found.height > 5 else ("", "")
    return Text(f"{en}{more}.", f"{zh}{more_zh}。")


def _named(row: dict[str, object]) -> tuple[str, str]:
    """A parameter in words."""
    if row["kind"] == "r2":
        return f"R2 of {row['lhs']}", f"{row['lhs']} 的 R²"
    if row["kind"] in {"loading", "weight"}:
        return f"{row['lhs']}, {row['rhs']}", f"{row['lhs']} 的 {row['rhs']}"
    return f"{row['rhs']} -> {row['lhs']}", f"{row['rhs']} -> {row['lhs']}"
