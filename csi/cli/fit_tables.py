"""The printed tables of a covariance fit: test and fit lines, parameters by kind, explained variance, indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.cli.answer import Grid
from csi.cli.fit_words import in_options
from csi.cli.grids import grid
from csi.errors import Language, Reason, Text
from csi.estimate.estimate import Estimate
from csi.estimate.shown import least_of
from csi.measures.admissible import Diagnosis
from csi.measures.fit_measures import FitMeasures
from csi.measures.standardised import r2
from csi.reporting.section import Kind
from csi.reporting.tables import printed
from csi.sem.fitted import Test, fitted

SECTIONS: Final = {
    "=~": Text("Loadings", "载荷"),
    "<~": Text("Weights", "权重"),
    "~": Text("Paths", "路径系数"),
    "~~": Text("Covariances", "协方差"),
    "~1": Text("Intercepts and means", "截距与均值"),
    "|": Text("Thresholds", "阈值"),
    "variance": Text("Variances (. residual)", "方差（. 为残差方差）"),
    "~*~": Text("Scales", "尺度因子"),
    ":=": Text("Defined", "定义的参数"),
}
"""Kind of row -> its heading, in the order of printing."""

HEADINGS: Final = {
    "lhs": Text("", ""),
    "rhs": Text("", ""),
    "label": Text("label", "标签"),
    "statistic": Text("z", "z"),
    "std_all": Text("std", "标准化"),
    "std_lv": Text("std.lv", "潜变量标准化"),
    "variable": Text("variable", "变量"),
    "r2": Text("R²", "R²"),
    "op": Text("", ""),
    "mi": Text("MI", "修正指数"),
    "epc": Text("EPC", "预期变化"),
    "sepc_all": Text("EPC (std)", "预期变化（标准化）"),
    "chi2": Text("χ²", "χ²"),
    "df": Text("df", "df"),
    "p_value": Text("p", "p 值"),
    "converged": Text("converged", "收敛"),
    "cfi": Text("CFI", "CFI"),
    "tli": Text("TLI", "TLI"),
    "rmsea": Text("RMSEA", "RMSEA"),
    "srmr": Text("SRMR", "SRMR"),
}

NUMBERS: Final[dict[str, Kind]] = {"estimate": "estimate", "std_error": "estimate", "statistic": "number"}
MEASURES: Final = ("cfi", "tli", "rmsea", "srmr")


def test_lines(est: Estimate, lang: Language) -> list[str | Grid]:
    """n, free parameters, convergence and the tests of exact fit of a single cell."""
    fit = fitted(est)
    n = sum(float(g.n[0]) for g in fit.groups)
    sizes = "; ".join(f"{g.name} {printed(float(g.n[0]), 'count')}" for g in fit.groups) if len(fit.groups) > 1 else ""
    each = f" ({sizes})" if sizes and lang == "en" else f"（{sizes}）" if sizes else ""
    size = f"n = {printed(n, 'count')}{each}"
    free = Text(f"{fit.npar} free parameters", f"{fit.npar} 个自由参数").say(lang)
    lines: list[str | Grid] = [f"{size} · {free} · {_ended(est).say(lang)}"]
    if not est.convergence.converged[0]:
        return lines
    lines.append(_tested(fit.test, lang))
    if fit.scaled is not None:
        factor = printed(float(fit.scaled.factor[0]), "estimate")
        scaling = Text(f"scaling factor {factor}", f"校正因子 {factor}").say(lang)
        lines.append(f"{_tested(fit.scaled, lang)} · {fit.scaled.name}, {scaling}")
    return lines


def _ended(est: Estimate) -> Text:
    """Whether the first cell converged."""
    ended = est.convergence
    if bool(ended.converged[0]):
        steps = int(ended.iterations[0])
        many = "iteration" if steps == 1 else "iterations"
        return Text(f"converged after {steps} {many}", f"迭代 {steps} 次后收敛")
    why = ended.reasons.get(0)
    return Text("not converged", "未收敛") if why is None else why.text


def _tested(test: Test, lang: Language) -> str:
    """`χ²(24) = 85.306, p < .001`."""
    df = float(test.df[0])
    degrees = printed(df, "count" if df == round(df) else "number")
    if df < 0 or not np.isfinite(test.statistic[0]):
        return f"χ²({degrees}) = –, p = –"
    p = printed(float(test.p_value[0]), "p", lang)
    return f"χ²({degrees}) = {printed(float(test.statistic[0]), 'estimate')}, p {p if p.startswith('<') else '= ' + p}"


def exact_lines(measures: FitMeasures, lang: Language) -> list[str | Grid]:
    """The test of exact fit that does without normality, where the fit has one."""
    if not _finite(measures, "p_value_peba4"):
        return []
    statistic = printed(_value(measures, "chi2_rls"), "estimate")
    p = printed(_value(measures, "p_value_peba4"), "p", lang)
    said = Text("without normality: pEBA4", "不假定正态：pEBA4").say(lang)
    return [f"T_RLS = {statistic}, p {p if p.startswith('<') else '= ' + p} · {said}"]


def fit_lines(measures: FitMeasures, lang: Language) -> list[str | Grid]:
    """Incremental and absolute indices, scaled and robust ones on lines of their own, and information criteria.

    A model with more parameters than moments has none.
    """
    if _value(measures, "df") < 0:
        return []
    kinds = [k for k in ("", "scaled", "robust") if all(_finite(measures, _name(m, k)) for m in MEASURES[:3])]
    lines: list[str | Grid] = []
    for kind in kinds:
        low, high = (_printed(measures, _name(f"rmsea_{end}", kind), lang) for end in ("conf_low", "conf_high"))
        parts = [f"{HEADINGS[m].en} {_printed(measures, _name(m, kind), lang)}" for m in MEASURES[:3]]
        parts[2] += f" [{low}, {high}]"
        if not kind:
            parts.append(f"SRMR {_printed(measures, 'srmr', lang)}")
        lines.append(" · ".join(parts) + (f" ({kind})" if kind else ""))
    criteria = [f"{n.upper()} {printed(_value(measures, n), 'number')}" for n in ("aic", "bic") if _finite(measures, n)]
    return [*lines, *([" · ".join(criteria)] if criteria else [])]


def _name(measure: str, kind: str) -> str:
    return f"{measure}_{kind}" if kind else measure


def _value(measures: FitMeasures, name: str) -> float:
    return float(np.atleast_1d(measures[name])[0]) if name in measures else float("nan")


def _finite(measures: FitMeasures, name: str) -> bool:
    return bool(np.isfinite(_value(measures, name)))


def _printed(measures: FitMeasures, name: str, lang: Language) -> str:
    return printed(_value(measures, name), "index", lang)


def cells_grid(est: Estimate, measures: FitMeasures, lang: Language) -> Grid:
    """One line per cell: its keys, n, chi-square, degrees of freedom, p and indices."""
    fit = fitted(est)
    test = fit.scaled or fit.test
    keys = [c for c in est.moments.cells.columns if c != "n"]
    lost = ~est.convergence.converged
    told = {"chi2": np.where(lost, np.nan, test.statistic), "p_value": np.where(lost, np.nan, test.p_value)} | {
        m: np.atleast_1d(measures[m]) for m in MEASURES
    }
    judged = np.asarray(test.df) >= 0
    frame = est.moments.cells.with_columns(
        pl.Series("df", test.df),
        *(pl.Series(name, np.where(judged, values, np.nan)) for name, values in told.items()),
        pl.Series("converged", ["✓" if ok else "✗" for ok in est.convergence.converged]),
    ).fill_nan(None)
    numbers: dict[str, Kind] = {"n": "count", "chi2": "estimate", "df": "count", "p_value": "p"}
    numbers |= dict.fromkeys(MEASURES, "index")
    kinds: dict[str, Kind] = {**dict.fromkeys(keys, "text"), **numbers, "converged": "text"}
    return grid(frame, kinds, lang, Text("Cells", "单元"), headings=HEADINGS)


SEVERITIES: Final = {
    "error": Text("Error", "错误"),
    "warning": Text("Warning", "警告"),
    "fine": Text("For the record", "提示"),
}


def finding_lines(diagnosis: Diagnosis, lang: Language) -> list[str | Grid]:
    """What is wrong or doubtful about the solution, a line each, told once for all its cells."""
    colon = "：" if lang == "zh" else ": "
    lines = [f"{SEVERITIES[g.severity].say(lang)} {g.code}{colon}{in_options(g.say(lang))}" for g in diagnosis.gathered]
    return ["", *lines] if lines else []


def parameter_grids(est: Estimate, cell: int, lang: Language, withheld: Reason | None) -> list[str | Grid]:
    """The parameters of one cell, a table per kind of row (and group); the reason in the place of withheld paths."""
    table = est.table
    k = table.height // len(est.values)
    rows = table[cell * k : (cell + 1) * k].with_columns(kind=_kind())
    blocks: list[str | Grid] = []
    keys = [c for c in est.moments.cells.columns if c != "n"]
    place = " · ".join(str(rows[key][0]) for key in keys)
    if place:
        blocks.append(f"\n{place}")
    for group in rows.filter(pl.col("op") != ":=")["group"].unique(maintain_order=True):
        own = rows.filter((pl.col("group").eq_missing(group)) & (pl.col("op") != ":="))
        if group is not None:
            blocks.append("\n" + Text(f"Group {group}", f"组 {group}").say(lang))
        for kind in SECTIONS:
            if _has(own, kind):
                hidden = kind == "~" and withheld is not None
                blocks.append(_instead(withheld, lang) if hidden else _section(own, kind, est, lang))
    if _has(rows, ":=") and withheld is None:
        blocks.append(_section(rows, ":=", est, lang))
    return blocks


def _instead(withheld: Reason | None, lang: Language) -> str:
    """What stands in the place of the paths."""
    why = Text("", "") if withheld is None else withheld.text
    en = f"\n{SECTIONS['~'].en}: withheld. {why.en} --show-anyway prints them."
    return en if lang == "en" else f"\n{SECTIONS['~'].zh}：不予显示。{why.zh}可用 --show-anyway 强制显示。"


def _kind() -> pl.Expr:
    """The operator, with variances apart from covariances."""
    own = (pl.col("op") == "~~") & (pl.col("lhs") == pl.col("rhs"))
    return pl.when(own).then(pl.lit("variance")).otherwise(pl.col("op"))


def _has(rows: pl.DataFrame, kind: str) -> bool:
    """Whether there is something to print; scales that are all fixed at 1 say nothing."""
    own = rows.filter(pl.col("kind") == kind)
    return own.height > 0 and not (kind == "~*~" and own["std_error"].null_count() == own.height)


def _section(rows: pl.DataFrame, kind: str, est: Estimate, lang: Language) -> Grid:
    """One kind of row."""
    own = rows.filter(pl.col("kind") == kind)
    if kind == "variance":
        explained = set(rows.filter(pl.col("op") == "~")["lhs"]) | set(rows.filter(pl.col("op") == "=~")["rhs"])
        dotted = pl.when(pl.col("lhs").is_in(explained)).then("." + pl.col("lhs")).otherwise("lhs")
        own = own.with_columns(dotted.alias("lhs"))
    names = ["lhs"] if kind in {"~1", "variance", "~*~", ":="} else ["lhs", "rhs"]
    labelled = kind != ":=" and (own["label"] != "").any()
    kinds: dict[str, Kind] = dict.fromkeys([*names, *(["label"] if labelled else [])], "text")
    kinds |= NUMBERS | {"p_value": "p"}
    if est.replicates is not None:
        kinds |= {"conf_low": "estimate", "conf_high": "estimate"}
    if own["std_all"].null_count() < own.height:
        kinds["std_all"] = "index"
    repeated = own.with_columns(lhs=_once(own["lhs"])) if len(names) == 2 else own
    return grid(repeated, kinds, lang, SECTIONS[kind], headings=HEADINGS, least={"p_value": (least_of(est), "")})


def _once(names: pl.Series) -> pl.Series:
    """Names with repetitions of the line above left blank."""
    return pl.Series([n if i == 0 or n != names[i - 1] else "" for i, n in enumerate(names)], dtype=pl.String)


def r2_grid(est: Estimate, lang: Language) -> list[str | Grid]:
    """Explained variance, printed."""
    frame = r2(est)
    if not frame.height:
        return []
    shown: Sequence[str] = ["variable"] if frame["group"].null_count() == frame.height else ["group", "variable"]
    kinds: dict[str, Kind] = {**dict.fromkeys(shown, "text"), "r2": "index"}
    return [grid(frame, kinds, lang, Text("R²", "R²"), headings={**HEADINGS, "group": Text("group", "组")})]


def indices_grid(changes: pl.DataFrame, most: int, lang: Language) -> Grid:
    """The largest modification indices."""
    top = changes.sort("mi", descending=True, nulls_last=True).head(most)
    extra = [c for c in top.columns if c not in {"lhs", "op", "rhs", "mi", "epc", "sepc_lv", "sepc_all", "reason"}]
    kept = [c for c in extra if top[c].null_count() < top.height]
    kinds: dict[str, Kind] = {**dict.fromkeys([*kept, "lhs", "op", "rhs"], "text"), "mi": "number"}
    kinds |= {"epc": "estimate", "sepc_all": "index"}
    kinds |= {"reason": "text"} if top["reason"].null_count() < top.height else {}
    return grid(top, kinds, lang, Text("Largest modification indices", "最大的修正指数"), headings=HEADINGS)
