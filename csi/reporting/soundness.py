"""Which cells have no usable model, a negative weight, or no index: named, with the reason and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from csi.errors import Note, Problems, Reason, Text, note, problem
from csi.estimate.estimate import Estimate
from csi.reporting.usable import named
from csi.study.study import Study
from csi.survey.bases import Bases
from csi.survey.panel import Panel
from csi.tracking.index import Index

MOST = 5
"""More cells than this are counted, not named."""

CELLS_OWN = frozenset({"W-CELLS", "W-WEIGHT"})
"""Notes of an estimate that `cell_notes` says better."""

NUMBERS = ("index", "std_error", "conf_low", "conf_high", "n_effective", "design_effect", "std_error_fixed")
"""What a suppressed cell does not show."""

_ITEM = Text(
    "Check the direction of the item (reverse: yes in the codebook), or leave it out.",
    "请检查该题项的方向（编码簿中的 reverse: yes），或移除该题项。",
)
_FEW = Text("Leave the item or predictor out, or add answers.", "请移除该题项或预测构念，或补充样本。")
REMEDIES: dict[str, Text] = {
    "R-CONVERGE": Text(
        "Raise tolerance under estimate (1e-7 is usual), or look for doubled and reversed items.",
        "请放宽 estimate 中的 tolerance（通常为 1e-7），或检查重复与反向的题项。",
    ),
    "R-WEIGHT-SIGN": _ITEM,
    "R-CONSTANT": _FEW,
    "R-COLLINEAR": _FEW,
    "R-PAIR": _FEW,
    "R-FEW": Text("Add answers, or use a smaller model.", "请补充样本，或使用更小的模型。"),
}
"""Code of a reason -> what to do."""


def remedy(why: Reason) -> Text:
    """What to do about a reason; nothing where the reason says it all."""
    return REMEDIES.get(why.code, Text("", ""))


def suppressed(table: pl.DataFrame, bases: Bases) -> pl.DataFrame:
    """An index table whose cells with too few answers have no numbers but a reason; `flag` marks those with few.

    Example:
        >>> row = {"index": [70.0], "n": [3], "reason": [None], "reason_zh": [None]}
        >>> types = {"reason": pl.String, "reason_zh": pl.String}
        >>> suppressed(pl.DataFrame(row, schema_overrides=types), Bases()).row(0)
        (None, 3, 'fewer than 30 answers; suppressed.', '样本量不足 30，不予发布。', 'suppressed')
    """
    few = pl.col("n") < bases.small
    said = bases.reason.text
    why = {"reason": said.en, "reason_zh": said.zh}
    hidden = [pl.when(~few).then(pl.col(c)).alias(c) for c in NUMBERS if c in table.columns]
    told = [pl.when(few).then(pl.lit(text)).otherwise(pl.col(c)).alias(c) for c, text in why.items()]
    flag = pl.when(few).then(pl.lit("suppressed")).when(pl.col("n") < bases.flagged).then(pl.lit("small"))
    return table.with_columns(*hidden, *told, flag.alias("flag"))


def unweighed(weights: pl.DataFrame, cells: pl.DataFrame, small: int) -> pl.DataFrame:
    """A table of weights without the numbers of those that too few answers estimated.

    Parameters:
        weights: as `Index.weights`. cells: key columns and n, of every cell of the index.

    Example:
        >>> weights = pl.DataFrame({"brand": ["A", "B"], "item": ["q", "q"], "weight": [1.0, 1.0]})
        >>> unweighed(weights, pl.DataFrame({"brand": ["A", "B"], "n": [12, 240]}), 30)["weight"].to_list()
        [None, 1.0]
    """
    keys = [k for k in cells.columns if k in weights.columns and k != "n"]
    if not keys:
        return weights
    counted = cells.group_by(keys, maintain_order=True).agg(pl.col("n").sum().alias("_n"))
    joined = weights.join(counted, on=keys, how="left", nulls_equal=True, maintain_order="left")
    enough = pl.col("_n").fill_null(small) >= small
    numbers = [c for c in ("weight", "std_error") if c in weights.columns]
    return joined.with_columns(pl.when(enough).then(pl.col(c)).alias(c) for c in numbers).drop("_n")


def bases_of(study: Study) -> Bases:
    """The study's limits on answers."""
    return Bases(study.settings.small, study.settings.flagged)


def told_groups(
    study: Study, panel: Panel, by: Sequence[str], where: Mapping[str, str], fewest: int = 2
) -> tuple[Panel, tuple[Note, ...]]:
    """The answers of groups that have enough of them, and which groups are left out.

    Parameters:
        by: the columns whose values make groups. where: the answers that are compared. fewest: groups
            that are needed.

    Raises:
        Problems: E-BASE, fewer groups have enough answers.
    """
    here = panel.frame.filter(*(pl.col(k) == v for k, v in where.items())).drop_nulls(list(by))
    items = [i for i in study.model.items if i in here.columns] if study.settings.missing == "listwise" else []
    groups = here.select(*by).unique(maintain_order=True)
    used = here.drop_nulls(items).group_by(by, maintain_order=True).len("n")
    counts = groups.join(used, on=list(by), how="left", maintain_order="left")
    counts = counts.with_columns(pl.col("n").fill_null(0).cast(pl.Int64))
    enough = counts.filter(pl.col("n") >= study.settings.small)
    if enough.height == counts.height:
        return panel, ()
    if enough.height < fewest:
        small = study.settings.small
        en, zh = f"fewer than {fewest} groups have {small} answers.", f"样本量达到 {small} 的分组不足 {fewest} 个。"
        do, do_zh = (
            "Use larger groups, or lower report: {small: ...}.",
            "请使用更大的分组，或调低 report: {small: ...}。",
        )
        raise Problems([problem("E-BASE", ", ".join(by), en, zh, do, do_zh)])
    kept = panel.frame.with_row_index("_row").join(enough, on=list(by), how="semi")["_row"]
    keep = pl.int_range(panel.frame.height, eager=True).is_in(kept.implode())
    reasons = panel.reasons.filter(keep) if panel.reasons.height == panel.frame.height else panel.reasons
    few = Bases(study.settings.small, 0)
    return replace(panel, frame=panel.frame.filter(keep), reasons=reasons), few.notes(few.withheld(counts), by)


def explained(found: Index) -> Index:
    """The index whose reasons say which fit they come from where the weights are not the cell's own."""
    whose = {
        "base": Text(f"weights of the base wave {found.base}: ", f"基期 {found.base} 的权重："),
        "pooled": Text("weights of all cells together: ", "全部单元合并的权重："),
        "wave": Text("weights of the wave: ", "该期全部品牌的权重："),
        "rolling": Text("weights of the window of waves: ", "该窗口内各期的权重："),
        "entity": Text("weights of the brand: ", "该品牌全部期次的权重："),
    }.get(found.rule)
    weighed = [r for r in found.reasons if r.code in REMEDIES or r.code == "R-NO-WEIGHTS"]
    if whose is None or not weighed:
        return found
    texts = {r.text: Text(whose.en + r.text.en, whose.zh + r.text.zh) for r in weighed}
    table = found.table.with_columns(
        pl.col("reason").replace({old.en: new.en for old, new in texts.items()}),
        pl.col("reason_zh").replace({old.zh: new.zh for old, new in texts.items()}),
    )
    return replace(found, table=table, reasons=tuple(replace(r, text=texts.get(r.text, r.text)) for r in found.reasons))


def absent_notes(study: Study, found: Index, table: pl.DataFrame, construct: str) -> tuple[Note, ...]:
    """Why cells with enough answers have no index of `construct`: one note per reason, naming the cells.

    Parameters:
        found: an index after `explained`. table: the rows of its table that were asked for.
    """
    lost = table.filter(
        (pl.col("construct") == construct) & pl.col("index").is_null() & (pl.col("n") >= study.settings.small)
    )
    reasons = {r.text.en: r for r in found.reasons}
    notes = []
    for part in lost.partition_by("reason", maintain_order=True):
        why = reasons.get(part["reason"][0])
        what = Text(part["reason"][0] or "", part["reason_zh"][0] or "")
        do = Text("", "") if why is None else remedy(why)
        cells = _listed(study, part)
        en = f"No index for {cells.en}: {what.en} {do.en}".rstrip()
        notes.append(note("E-INDEX", en, f"{cells.zh} 没有指数：{what.zh}{do.zh}"))
    return tuple(notes)


def lost_notes(study: Study, panel: Panel, found: Index, where: Mapping[str, str]) -> tuple[Note, ...]:
    """Cells of `where` that had answers when the files were read, and have no row in the index: one note for all."""
    keys = [k for k in ("brand", "wave") if k in panel.frame.columns and k in found.cells.columns]
    if not keys:
        return ()
    read = [panel.frame.select(keys)]
    if panel.excluded is not None and set(keys) <= set(panel.excluded.columns):
        known = [pl.col("brand").is_in(list(study.brands) or list(panel.brands))] if "brand" in keys else []
        read.append(panel.excluded.select(keys).filter(*known))
    had = pl.concat(read).unique(maintain_order=True).filter(*(pl.col(k) == v for k, v in where.items() if k in keys))
    gone = had.join(found.cells.select(keys), on=keys, how="anti", maintain_order="left")
    if gone.is_empty():
        return ()
    cells = _listed(study, gone)
    en = f"No index for {cells.en}: none of its answer sheets is left; csi check says why."
    return (note("E-INDEX", en, f"{cells.zh} 没有指数：其答卷全部被剔除，原因见 csi check。"),)


def cell_notes(
    study: Study, est: Estimate, where: Mapping[str, str] | None = None, found: Index | None = None
) -> tuple[Note, ...]:
    """The cells (of `where`) whose own model has no usable solution, and those with a negative outer weight.

    Parameters:
        est: the model in every cell. found: the published index, whose weights may come from other cells; cells too
            small to be published are then left out.

    Returns:
        Notes: W-CELLS per reason, W-WEIGHT per item.
    """
    cells = est.moments.cells
    asked = np.ones(cells.height, dtype=bool)
    for key, value in (where or {}).items():
        asked &= (cells[key] == value).to_numpy()
    if found is not None:
        asked &= (cells["n"] >= study.settings.small).to_numpy()
    elsewhere = _elsewhere(found)
    return (*_failed(est, asked, study, found), *_negative(study, est, asked, found, elsewhere))


def estimate_notes(est: Estimate) -> tuple[Note, ...]:
    """The notes of an estimate without those that `cell_notes` says."""
    return tuple(_of_all(n) for n in est.notes if n.code not in CELLS_OWN)


def _of_all(one: Note) -> Note:
    """A count of rows with its scope: an estimate of a cell carries what was counted in the whole study."""
    if one.code not in {"N-LISTWISE", "N-MISSING"}:
        return one
    return note(one.code, f"In all answers of the study, {one.text.en}", f"就全部答卷而言，{one.text.zh}")


def _failed(est: Estimate, asked: np.ndarray, study: Study, found: Index | None) -> list[Note]:
    """One note per kind of failure, apart where the cell has an index by other cells' weights and where it has none."""
    kinds: dict[tuple[str, bool], list[int]] = {}
    for i, why in sorted(est.convergence.reasons.items()):
        if asked[i]:
            kinds.setdefault((why.code, _has_index(found, est, i)), []).append(i)
    notes = []
    for (_, told), rows in kinds.items():
        elsewhere = _elsewhere(found) if told else Text("", "")
        first = est.convergence.reasons[rows[0]]
        cells, do = _listed(study, est.moments.cells[rows]), remedy(first)
        more = Text(" in the first of them", "（其中首个）") if len(rows) > 1 else Text("", "")
        en = f"{cells.en}: no usable model: {first.text.en.rstrip('.')}{more.en}{elsewhere.en}."
        zh = f"{cells.zh}：没有可用的模型解：{first.text.zh.rstrip('。')}{more.zh}{elsewhere.zh}。"
        notes.append(note("W-CELLS", f"{en} {do.en}".rstrip(), f"{zh}{do.zh}"))
    return notes


def _has_index(found: Index | None, est: Estimate, cell: int) -> bool:
    """Whether a cell of an estimate has any index."""
    if found is None:
        return False
    keys = [k for k in est.moments.cells.columns if k != "n" and k in found.table.columns]
    own = est.moments.cells.select(keys)[cell]
    mine = found.table.join(own, on=keys, how="semi", nulls_equal=True) if keys else found.table
    return mine["index"].null_count() < mine.height


def _negative(study: Study, est: Estimate, asked: np.ndarray, found: Index | None, elsewhere: Text) -> list[Note]:
    """One note per item with a negative weight."""
    sol = est.solution
    if sol.weights is None:
        return []
    notes = []
    for k, item in enumerate(sol.items):
        rows = np.flatnonzero(asked & (sol.weights[:, k] < 0) & (est.convergence.converged))
        if not rows.size:
            continue
        construct = sol.constructs[sol.block[k]]
        cells = _listed(study, est.moments.cells[rows.tolist()])
        then = _then(construct, found, elsewhere)
        en = f"{cells.en}: the outer weight of {item} is negative there{then.en}. {_ITEM.en}"
        notes.append(note("W-WEIGHT", en, f"{cells.zh}：{item} 的外部权重在此为负{then.zh}。{_ITEM.zh}"))
    return notes


def _then(construct: str, found: Index | None, elsewhere: Text) -> Text:
    """What a negative weight of a cell means for the published index."""
    if found is None:
        return Text("", "")
    mine = found.table.filter((pl.col("construct") == construct) & pl.col("index").is_not_null())
    if elsewhere.en and mine.height:
        return elsewhere
    return Text(f", so {construct} has no index", f"，因此 {construct} 没有指数")


def _elsewhere(found: Index | None) -> Text:
    """Whose weights the published index uses, where they are not the cell's own."""
    if found is None or found.rule == "own" or found.table["index"].null_count() == found.table.height:
        return Text("", "")
    whose = WHOSE[found.rule]
    return Text(f"; the published index uses {whose.en}", f"；公布的指数使用{whose.zh}")


def own_levels(rule: str) -> tuple[Note, ...]:
    """That levels of a fit are by its own weights and the index is not; nothing where it is.

    Example:
        >>> own_levels("own"), own_levels("base")[0].code
        ((), 'N-PERFORMANCE')
    """
    whose = WHOSE.get(rule)
    if whose is None:
        return ()
    en = f"levels here are by the weights of this fit; the published index uses {whose.en}, so that both can differ."
    zh = f"此处的表现按本次拟合的权重计算；公布的指数使用{whose.zh}，两者可能略有差异。"
    return (note("N-PERFORMANCE", en, zh),)


WHOSE = {
    "base": Text("the base wave's weights", "基期的权重"),
    "pooled": Text("the weights of all cells together", "全部单元合并的权重"),
    "wave": Text("the weights of all brands of the wave", "该期全部品牌合并的权重"),
    "rolling": Text("the weights of a rolling window of waves", "滚动窗口内各期的权重"),
    "entity": Text("the weights of the brand over its waves", "该品牌各期合并的权重"),
    "given": Text("fixed weights", "固定的权重"),
}
"""Rule of the index -> whose weights it uses, where they are not the cell's own."""


def _listed(study: Study, cells: pl.DataFrame) -> Text:
    """Cells in words, `MOST` of them at most."""
    keys = [k for k in ("brand", "wave") if k in cells.columns]
    rows = cells.select(keys).unique(maintain_order=True).head(MOST).to_dicts()
    texts = [named(study, row) for row in rows]
    more = cells.height - len(rows)
    en, zh = ", ".join(t.en for t in texts), "、".join(t.zh for t in texts)
    return Text(en + (f" and {more} more" if more > 0 else ""), zh + (f" 等 {cells.height} 个单元" if more > 0 else ""))


def settled(est: Estimate) -> Sequence[bool]:
    """Per cell, whether its model converged to a usable solution without a negative weight."""
    good = est.convergence.converged.copy()
    if est.solution.weights is not None:
        with np.errstate(invalid="ignore"):
            good &= ~(est.solution.weights < 0).any(axis=1)
    return [bool(g) for g in good]
