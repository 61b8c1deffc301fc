"""One sentence on whether what is read from a model depends on the estimator, computed from the triangulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl

from csi.display import significant
from csi.errors import Text

STABLE = Text("what is read does not depend on the estimator", "结论不依赖于估计方法")
OPEN = Text(
    "whether what is read depends on the estimator cannot be judged without standard errors",
    "没有标准误，无法判断结论是否依赖于估计方法",
)
SAME = 1e-4
"""Standardised paths this close are the same to a reader, whatever their errors."""

APART = Text(
    "whether what is read depends on the estimator cannot be told",
    "无法判断结论是否依赖于估计方法",
)
"""No two estimators have a path to lay side by side."""

DEPENDS = Text("what is read depends on the estimator", "结论依赖于估计方法")


def verdict(table: pl.DataFrame, names: Mapping[str, str], target: str, keys: list[str]) -> Text:
    """The sentence: paths beyond two standard errors, the order of the drivers, the index, the ranks.

    What only one estimator has says nothing about the others and is left out. Without paths that two have, or standard
    errors of them, it does not say that nothing depends on the estimator; what differs is still told.

    Parameters:
        table: of a `Triangulation`. names: key -> name of the estimator, the reference first. target: a construct.
            keys: key columns of the cells.

    Example:
        >>> row = {"part": "path", "name": "y ~ x", "value_1": 0.4, "value_2": 0.7, "in_se": 3.0, "differs": True}
        >>> said = verdict(pl.DataFrame([row]), {"1": "PLS", "2": "SEM"}, "y", []).en
        >>> print(said.split(": ", 1)[1])
        1 of 1 path differs from PLS by more than 2 standard errors (most: y ~ x, 0.4 and 0.7).
    """
    both = _shared(table, names)
    said = [
        part
        for part in (
            _paths(both, names, keys),
            _drivers(both, target, keys),
            _index(both, target),
            _ranks(both, keys),
        )
        if part is not None
    ]
    whole = DEPENDS if any(moved for _, moved in said) else _undisputed(table, both)
    left = _unreadable(table, both, names)
    count = len(names)
    en = f"By {count} estimators, {whole.en}: {'; '.join(t.en for t in (*(t for t, _ in said), *left))}."
    zh = f"{count} 种估计方法比较，{whole.zh}：{'；'.join(t.zh for t in (*(t for t, _ in said), *left))}。"
    return Text(en, zh)


def _shared(table: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """The rows that two estimators or more have a value of."""
    return table.filter(pl.sum_horizontal(pl.col(f"value_{k}").is_not_null() for k in names) > 1)


def _undisputed(table: pl.DataFrame, both: pl.DataFrame) -> Text:
    """What may be concluded where nothing differs.

    Paths, where there are any, must be there by two estimators, and have standard errors or be all the same.
    """
    rows = both.filter(pl.col("part") == "path")
    if not rows.height:
        return APART if (table["part"] == "path").any() else STABLE
    same = bool((rows["difference"].abs() < SAME).all())
    return STABLE if same or rows["in_se"].null_count() < rows.height else OPEN


def _unreadable(table: pl.DataFrame, both: pl.DataFrame, names: Mapping[str, str]) -> list[Text]:
    """Estimators whose paths are absent, and what that leaves."""
    rows = table.filter(pl.col("part") == "path")
    gone = [names[k] for k in names if rows.height and rows[f"value_{k}"].null_count() == rows.height]
    apart = rows.height and not (both["part"] == "path").any()
    if not gone and apart:
        en, zh = "no two of them have readable paths in the same cell", "没有任何单元有两种方法的路径可解读"
        return [Text(f"{en} (the notes say why)", f"{zh}（原因见附注）")]
    if not gone:
        return []
    listed, listed_zh = " and ".join(gone), "、".join(gone)
    if apart:
        en = f"the paths of {listed} cannot be read (the notes say why), which leaves no two estimators to compare"
        return [Text(en, f"{listed_zh} 的路径不可解读（原因见附注），没有两种估计方法可供比较")]
    en = f"the paths of {listed} cannot be read and are left out"
    return [Text(en, f"{listed_zh} 的路径不可解读，未计入")]


def _base(row: Mapping[str, object], names: Mapping[str, str]) -> str:
    """Key of the first estimator that has a value in a row: its differences are from this one."""
    return next(k for k in names if row[f"value_{k}"] is not None)


def _from(rows: pl.DataFrame, names: Mapping[str, str]) -> Text:
    """What the differences of rows are from."""
    bases = list({_base(row, names) for row in rows.iter_rows(named=True)})
    if len(bases) > 1:
        return Text("the first that can be read", "第一个可解读的估计")
    return Text(names[bases[0]], names[bases[0]])


def _cell(row: Mapping[str, object], keys: list[str]) -> str:
    """The cell of a row in brackets, nothing for a single one."""
    return f" ({' '.join(str(row[k]) for k in keys)})" if keys else ""


def _paths(table: pl.DataFrame, names: Mapping[str, str], keys: list[str]) -> tuple[Text, bool] | None:
    """How many paths are beyond two standard errors, and the one that is most."""
    rows = table.filter(pl.col("part") == "path")
    judged = rows.filter(pl.col("in_se").is_not_null())
    if not rows.height:
        return None
    if not judged.height:
        worst = rows.sort(pl.col("difference").abs(), nulls_last=False).row(-1, named=True)
        size, place = significant(abs(worst["difference"] or 0.0), 2), f"{worst['name']}{_cell(worst, keys)}"
        en = f"paths differ by up to {size} ({place}), which csi.bootstrap gives the standard errors to judge by"
        return Text(en, f"路径最多相差 {size}（{place}），可用 csi.bootstrap 得到判断所需的标准误"), False
    beyond = judged.filter("differs")
    total, base = judged.height, _from(judged, names)
    if not beyond.height:
        en = f"none of {total} path{'s' * (total > 1)} differs from {base.en} by more than 2 standard errors"
        return Text(en, f"{total} 条路径与 {base.zh} 的差异均不超过 2 个标准误"), False
    worst = beyond.sort("in_se").row(-1, named=True)
    first = _base(worst, names)
    gap = max(
        (k for k in names if worst[f"value_{k}"] is not None),
        key=lambda k: abs(worst[f"value_{k}"] - worst[f"value_{first}"]),
    )
    pair = [significant(worst[f"value_{k}"], 2) for k in (first, gap)]
    verb = "differ" if beyond.height > 1 else "differs"
    place = f"{worst['name']}{_cell(worst, keys)}"
    en = (
        f"{beyond.height} of {total} path{'s' * (total > 1)} {verb} from {base.en} by more than 2 standard errors "
        f"(most: {place}, {pair[0]} and {pair[1]})"
    )
    most = f"（最大：{place}，{pair[0]} 与 {pair[1]}）"
    zh = f"{total} 条路径中有 {beyond.height} 条与 {base.zh} 相差超过 2 个标准误{most}"
    return Text(en, zh), True


def _drivers(table: pl.DataFrame, target: str, keys: list[str]) -> tuple[Text, bool] | None:
    """Whether the drivers keep their order, and which leads."""
    rows = table.filter(pl.col("part") == "driver rank")
    values = [c for c in table.columns if c.startswith("value_")]
    if rows["name"].n_unique() < 2:
        return None
    lead = Counter(name for c in values for name in rows.filter(pl.col(c) == 1)["name"])
    if not lead:  # withheld throughout
        return None
    name, count = lead.most_common(1)[0]
    whole = sum(lead.values())
    leads, leads_zh = f"{name} leads in {count} of {whole}", f"{whole} 个排序中有 {count} 个以 {name} 居首"
    cells = rows.group_by(keys).agg(pl.col("differs").any()) if keys else rows.select(pl.col("differs").any())
    moved = int(cells["differs"].sum() or 0)
    if not moved:
        return Text(
            f"the drivers of {target} keep their order ({leads})", f"{target} 的驱动因素顺序不变（{leads_zh}）"
        ), False
    where = f" in {moved} of {cells.height} cells" if cells.height > 1 else ""
    where_zh = f"在 {cells.height} 个单元中的 {moved} 个" if cells.height > 1 else ""
    en = f"the order of the drivers of {target} changes{where} ({leads})"
    return Text(en, f"{target} 的驱动因素顺序{where_zh}有变（{leads_zh}）"), True


def _index(table: pl.DataFrame, target: str) -> tuple[Text, bool] | None:
    """How far apart the target's index is."""
    rows = table.filter(pl.col("part") == "index", pl.col("name") == target)
    values = [c for c in table.columns if c.startswith("value_") and rows[c].null_count() < rows.height]
    if len(values) < 2:
        return None
    low, high = pl.min_horizontal(values), pl.max_horizontal(values)
    worst = (
        rows.select(low=low, high=high).with_columns(gap=pl.col("high") - pl.col("low")).sort("gap").row(-1, named=True)
    )
    moved = bool(rows["differs"].any())
    size = f"{worst['gap']:.2f}"
    beyond = ", more than 2 standard errors," if moved else ""
    beyond_zh = "（超过 2 个标准误）" if moved else ""
    en = f"its index moves by up to {size} points{beyond} ({worst['low']:.1f} to {worst['high']:.1f})".replace(
        ", (", " ("
    )
    return Text(en, f"其指数最多相差 {size} 分{beyond_zh}（{worst['low']:.1f} 至 {worst['high']:.1f}）"), moved


def _ranks(table: pl.DataFrame, keys: list[str]) -> tuple[Text, bool] | None:
    """How many cells change their rank."""
    rows = table.filter(pl.col("part") == "rank")
    if not rows.height or not keys:
        return None
    moved = int(rows["differs"].sum() or 0)
    en = f"{moved} of {rows.height} ranks change" if moved else f"all {rows.height} ranks are the same"
    return Text(en, f"{rows.height} 个名次中有 {moved} 个变化" if moved else f"{rows.height} 个名次均不变"), moved > 0
