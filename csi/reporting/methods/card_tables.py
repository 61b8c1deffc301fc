"""The tables of a card's section, and its frames in full precision."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from csi.claims.card_run import CardRun
from csi.claims.run_words import TITLES
from csi.errors import Text
from csi.measures.shown import HEADINGS
from csi.reporting.methods.method import tabled
from csi.reporting.section import Kind, Table

PATHS: dict[str, Kind] = {
    "predictor": "text", "outcome": "text", "expected": "text", "estimate": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "p_value": "p", "p_equivalence": "p", "verdict": "text",
}  # fmt: skip
HELD: dict[str, Kind] = {
    "construct": "text", "n_items": "count", "alpha": "coefficient", "rho_a": "coefficient", "rho_c": "coefficient",
    "ave": "coefficient",
}  # fmt: skip
LOADED: dict[str, Kind] = {
    "construct": "text", "item": "text", "loading": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "weight": "coefficient",
}  # fmt: skip
APART: dict[str, Kind] = {
    "construct": "text", "other": "text", "htmt": "coefficient", "upper": "coefficient", "verdict": "text",
}  # fmt: skip
CHAINS: dict[str, Kind] = {
    "chain": "text", "expected": "text", "estimate": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "kind": "text", "verdict": "text",
}  # fmt: skip
DIFFER: dict[str, Kind] = {
    "formula": "text", "estimate": "coefficient", "conf_low": "coefficient", "conf_high": "coefficient",
}  # fmt: skip
CARRIED: dict[str, Kind] = {
    "construct": "text", "outcome": "text", "part": "text", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
BENT: dict[str, Kind] = {
    "outcome": "text", "construct": "text", "n_below": "count", "b_below": "coefficient", "b_below_low": "coefficient",
    "b_below_high": "coefficient", "n_above": "count", "b_above": "coefficient", "b_above_low": "coefficient",
    "b_above_high": "coefficient", "p_adjusted": "p", "pattern": "text",
}  # fmt: skip
SCORES: dict[str, Kind] = {
    "construct": "text", "index": "score", "std_error": "number", "conf_low": "score", "conf_high": "score",
    "n": "count",
}  # fmt: skip
POINTS: dict[str, Kind] = {
    "target": "text", "construct": "text", "gain": "number", "gain_conf_low": "number", "gain_conf_high": "number",
    "importance_std": "coefficient",
}  # fmt: skip
EXPLAINED: dict[str, Kind] = {
    "construct": "text", "predictors": "count", "r2": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient",
}  # fmt: skip
FITTED: dict[str, Kind] = {"measure": "text", "value": "estimate"}
FORESEEN: dict[str, Kind] = {"construct": "text", "q2_predict": "coefficient"}
CONTEST: dict[str, Kind] = {
    "rival": "text", "model": "text", "chi2": "number", "df": "count", "cfi": "index", "rmsea": "index",
    "srmr": "index", "bic": "score", "r2": "coefficient", "significant": "share", "chi2_diff": "number",
    "df_diff": "count", "p_value": "p",
}  # fmt: skip

HEADS = {
    **HEADINGS,
    "expected": Text("expected", "预期"),
    "verdict": Text("verdict", "判断"),
    "p_equivalence": Text("p of absence", "等效检验 p 值"),
    "estimate": Text("estimate", "估计值"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "item": Text("item", "题项"),
    "loading": Text("loading", "载荷"),
    "weight": Text("weight", "权重"),
    "n_items": Text("items", "题项数"),
    "n": Text("n", "样本量"),
    "n_below": Text("n below", "均值以下人数"),
    "b_below": Text("slope below the mean", "均值以下斜率"),
    "b_below_low": Text("low", "下限"),
    "b_below_high": Text("high", "上限"),
    "n_above": Text("n above", "均值以上人数"),
    "b_above": Text("slope above the mean", "均值以上斜率"),
    "b_above_low": Text("low", "下限"),
    "b_above_high": Text("high", "上限"),
    "p_adjusted": Text("p of the difference (Holm)", "差异 p 值（Holm）"),
    "pattern": Text("pattern", "形态"),
    "alpha": Text("alpha", "α"),
    "rho_a": Text("rho_A", "ρA"),
    "rho_c": Text("rho_C", "ρC"),
    "ave": Text("AVE", "AVE"),
    "htmt": Text("HTMT", "HTMT"),
    "upper": Text("upper bound", "单侧上限"),
    "formula": Text("contrast", "对比"),
    "index": Text("index", "指数"),
    "std_error": Text("SE", "标准误"),
    "target": Text("target", "目标"),
    "gain": Text("points per 5", "每 5 分相应"),
    "gain_conf_low": Text("low", "下限"),
    "gain_conf_high": Text("high", "上限"),
    "importance_std": Text("total effect (std)", "总效应（标准化）"),
    "r2": Text("R2", "R²"),
    "rival": Text("rival", "竞争模型"),
    "model": Text("model", "模型"),
    "significant": Text("paths apart from 0", "显著路径占比"),
    "part": Text("dimension", "维度"),
    "share": Text("share", "占比"),
    "bic": Text("BIC", "BIC"),
    "q2_predict": Text("Q2predict", "Q²predict"),
}


def tables_of(run: CardRun, texts: Mapping[str, Text]) -> list[Table]:
    """Every frame that has rows, in reading order; none where all cells have too few answers."""
    of_index = pl.DataFrame() if run.index is None else run.index.table
    distinct = run.told(run.validity.table.filter(pl.col("htmt").is_not_null()))
    rows = (
        ("paths", TITLES["table"], run.table, PATHS),
        ("dimensions", TITLES["dimensions"], run.dimensions, CARRIED),
        ("chains", TITLES["hypotheses"], run.hypotheses, CHAINS),
        ("contrasts", TITLES["contrasts"], run.contrasts, DIFFER),
        ("asymmetry", TITLES["asymmetry"], run.asymmetry, BENT),
        ("index", TITLES["index"], of_index, SCORES),
        ("impact", TITLES["impact"], run.impact, POINTS),
        ("rivals", TITLES["rivals"], run.rivals, CONTEST),
        ("explained", TITLES["r2"], run.r2, EXPLAINED),
        ("fit", TITLES["fit"], run.fit, FITTED),
        ("q2", TITLES["q2"], run.q2, FORESEEN),
        ("reliability", TITLES["reliability"], run.reliability, HELD),
        ("htmt", Text("Discriminant validity (HTMT)", "区分效度（HTMT）"), distinct, APART),
        ("loadings", Text("Loadings", "载荷"), run.measurement, LOADED),
    )
    made = []
    for name, title, frame, kinds in rows:
        if not frame.height or run.published is None:
            continue
        kept = {c: k for c, k in kinds.items() if c in frame.columns and frame[c].null_count() < frame.height}
        if kept:
            made.append(tabled(name, title, frame, kept, HEADS, texts))
    return made


def data_of(run: CardRun) -> dict[str, pl.DataFrame]:
    """The frames in full precision."""
    frames = {
        "paths": run.table, "r2": run.r2, "loadings": run.measurement, "reliability": run.reliability,
        "htmt": run.told(run.validity.table), "effects": run.told(run.effects.table), "hypotheses": run.hypotheses,
        "contrasts": run.contrasts, "dimensions": run.dimensions, "asymmetry": run.asymmetry,
        "impact": run.impact, "fit": run.fit, "q2": run.q2, "rivals": run.rivals,
    }  # fmt: skip
    if run.index is not None:
        frames["index"] = run.index.table
    return {name: frame for name, frame in frames.items() if frame.height}
