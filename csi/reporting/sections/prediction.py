"""How well the model foresees answers it has not seen: PLSpredict and CVPAT."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Text
from csi.measures.cvpat import AGAINST, OVERALL, cvpat
from csi.measures.predict import predict
from csi.measures.predictive_power import POWERS
from csi.reporting import figures, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Emphasis, Section, Table
from csi.reporting.sections.model import cell_of

FOLDS, REPETITIONS = 10, 10


def prediction_section(a: Analysis) -> Section:
    """Q2predict of every item beside the linear model's, the power by construct, and the test of both."""
    est, seed = cell_of(a).estimate, a.study.settings.seed
    found = predict(est, FOLDS, REPETITIONS, seed=seed)
    tested = cvpat(est, None, FOLDS, REPETITIONS, seed=seed)
    book = {i.name: Text(f"{i.name} {i.label.en}", f"{i.name} {i.label.zh}") for i in a.study.codebook.items}
    texts = {**a.construct_labels, **book}
    lm = 1 - (pl.col("lm_rmse") / pl.col("ia_rmse")) ** 2
    drawn = found.table.select(heading="construct", row="item", value_model="q2_predict", value_lm=lm)
    title = _title(found.constructs, tested.table)
    series = {"model": Text("model", "模型"), "lm": Text("linear model of the items", "题项线性模型")}
    draw = partial(figures.forest, drawn, labels=texts, series=series)
    brand = a.brand_labels[a.focal]
    return Section(
        key="prediction",
        title=title,
        subtitle=Text(
            f"{brand.en}: Q²predict out of sample, {FOLDS} folds x {REPETITIONS}; above zero: better than item means",
            f"{brand.zh}：样本外 Q²predict，{FOLDS} 折 × {REPETITIONS} 次；大于零即优于题项均值",
        ),
        figures=(figure("prediction", title, draw),),
        tables=(_power(a, found.constructs), _tests(tested.table)),
        notes=tuple(dict.fromkeys((*found.notes, *tested.notes))),
        data={"prediction": found.table, "power": found.constructs, "cvpat": tested.table},
    )


def _title(constructs: pl.DataFrame, tests: pl.DataFrame) -> Text:
    """Against the means and the linear model, as tested over all items."""
    overall = {r["against"]: r for r in tests.filter(construct=OVERALL).iter_rows(named=True)}
    strong = constructs.filter(pl.col("power").is_in(["high", "medium"])).height
    power = Text(
        f"predictive power is medium or high for {strong} of {constructs.height} constructs",
        f"{constructs.height} 个构念中有 {strong} 个预测力为中或高",
    )
    return words.sentence(_against(overall.get("ia"), overall.get("lm")), power)


def _against(ia: dict[str, float] | None, lm: dict[str, float] | None) -> Text:
    """Whether unseen answers are foreseen better than by means, and by the linear model."""
    if ia is None or not _better(ia):
        return Text("unseen answers are not foreseen better than by their means", "对未见答卷的预测不优于题项均值")
    if lm is not None and _better(lm):
        return Text(
            "unseen answers are foreseen better than by their means and by a linear model",
            "对未见答卷的预测优于题项均值，也优于线性模型",
        )
    beaten = lm is not None and lm["difference"] > 0 and lm["p_value"] < 0.05
    than = ("worse than", "劣于") if beaten else ("about as well as", "与之相当于")
    return Text(
        f"unseen answers are foreseen better than by their means, {than[0]} by a linear model",
        "对未见答卷的预测优于题项均值，" + ("劣于线性模型" if beaten else "与线性模型相当"),
    )


def _better(row: dict[str, float]) -> bool:
    return row["difference"] < 0 and row["p_value"] < 0.05


def _power(a: Analysis, frame: pl.DataFrame) -> Table:
    columns = (
        Column("construct", Text("Construct", "构念")),
        Column("q2_predict", Text("Q²predict", "Q²predict"), "index"),
        Column("items", Text("Items", "题数"), "count"),
        Column("better", Text("better than LM", "优于线性模型"), "count"),
        Column("power", Text("Predictive power", "预测力")),
    )
    emphasis: Emphasis = {(i, "power"): "warn" for i, p in enumerate(frame["power"].to_list()) if p == "none"}
    texts = {**a.construct_labels, **POWERS}
    return Table("power", Text("Power by construct", "各构念的预测力"), frame, columns, emphasis, texts)


def _tests(frame: pl.DataFrame) -> Table:
    """The tests over all items."""
    columns = (
        Column("against", Text("Compared with", "比较对象")),
        Column("difference", Text("Difference of losses", "损失差"), "number"),
        Column("conf_low", Text("from", "下限"), "number"),
        Column("conf_high", Text("to", "上限"), "number"),
        Column("p_value", Text("p", "p"), "p"),
    )
    title = Text("Predictive ability, all items (CVPAT)", "预测能力检验，全部题项（CVPAT）")
    return Table("cvpat", title, frame.filter(construct=OVERALL), columns, texts=AGAINST)
