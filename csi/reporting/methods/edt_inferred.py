"""Disconfirmation inferred from expectation and performance: the manifest polynomial with mediation, as a section."""

from __future__ import annotations

import polars as pl

from csi.display import significant
from csi.errors import Note, Text, note
from csi.expectation.surface import Surface
from csi.reporting.methods.method import Method, outcome_label, titled
from csi.reporting.methods.needs import construct, forms
from csi.reporting.methods.surface import data_of, found_of, notes_of, tables_of
from csi.reporting.section import Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """What expectation goes with directly and through performance, and whether their difference is all that counts."""
    found = found_of(study, panel, options)
    tables = tables_of(study, found)
    label = outcome_label(study, found.outcome)
    title, more = titled((*mediated(found, label), *found.sentences), METHOD.title)
    return Section(
        key="edt_inferred",
        title=title,
        subtitle=Text(
            "Average slopes of expectation: direct, through performance, in all (bootstrap); disconfirmation is "
            "inferred from the two forms, not asked",
            "期望的平均斜率：直接、经由感知、合计（自助法）；“期望不一致”由两种形式推断，并非直接询问",
        ),
        paragraphs=more,
        tables=tuple(tables[n] for n in ("paths", "coefficients", "surface", "claims", "asymmetry") if n in tables),
        notes=(*notes_of(found), *manifest(found)),
        data=data_of(found),
    )


def manifest(found: Surface) -> tuple[Note, ...]:
    """N-MANIFEST: that the polynomial is of means as answered, how reliable its products are, and its latent form.

        r(E^2) = r_E^2,  r(E P) = (r_E r_P + r^2) / (1 + r^2)  for centred normal scores that correlate r

    Source: Busemeyer & Jones (1983), Psychological Bulletin 93(3), 549-562.

    Example:
        >>> [round(v, 3) for v in products(0.8, 0.9, 0.5)]
        [0.64, 0.776, 0.81]
    """
    rows = found.reliability
    known = rows.drop_nulls(["r_expected", "r_perceived", "correlation"]) if rows.height else rows
    en = "the polynomial is of means as they were answered, so that measurement error shrinks its curvature"
    zh = "多项式以题项均值计算，测量误差会使曲率偏小"
    if known.height == 1:
        row = known.row(0, named=True)
        each = [significant(v, 2) for v in products(row["r_expected"], row["r_perceived"], row["correlation"])]
        en += f" (reliability of normal scores: E² {each[0]}, E·P {each[1]}, P² {each[2]})"
        zh += f"（按正态得分，信度：E² {each[0]}，E·P {each[1]}，P² {each[2]}）"
    en += '; the latent form is the model "y ~ E + P + E:E + E:P + P:P" with estimator: mlr or plsc.'
    zh += "；潜变量形式为模型 y ~ E + P + E:E + E:P + P:P，以 estimator: mlr 或 plsc 估计。"
    return (note("N-MANIFEST", en, zh),)


def products(expected: float, perceived: float, correlation: float) -> tuple[float, float, float]:
    """Reliabilities of E^2, E P and P^2, of centred normal scores."""
    shared = correlation**2
    return expected**2, (expected * perceived + shared) / (1 + shared), perceived**2


def mediated(found: Surface, label: Text) -> tuple[Text, ...]:
    """Per cell: the total average slope of expectation and its two ways."""
    keys = [c for c in found.paths.columns if c not in ("effect", "estimate", "std_error", "conf_low", "conf_high")]
    out = []
    for cell in found.paths.select(keys).unique(maintain_order=True).iter_rows(named=True) if keys else [{}]:
        mine = found.paths.filter(**cell) if cell else found.paths
        rows = {r["effect"]: r for r in mine.filter(pl.col("estimate").is_not_null()).iter_rows(named=True)}
        if "total" in rows:
            name = " ".join(str(v) for v in cell.values())
            said = _ways(rows["direct"], rows["through_performance"], rows["total"], label)
            out.append(Text(f"{name}: {said.en}", f"{name}：{said.zh}") if name else said)
    return tuple(out)


def _ways(direct: dict[str, float], through: dict[str, float], total: dict[str, float], label: Text) -> Text:
    """One sentence about the two ways.

    Example:
        >>> row = lambda v, low, high: {"estimate": v, "conf_low": low, "conf_high": high}
        >>> ways = row(-0.3, -0.4, -0.2), row(0.35, 0.3, 0.4), row(0.05, -0.02, 0.1)
        >>> _ways(*ways, Text("Satisfaction", "满意")).en[:62]
        'Expectation goes with satisfaction in opposite ways that cance'
    """
    d, t, whole = (significant(r["estimate"], 2) for r in (direct, through, total))
    clear = [r["conf_low"] > 0 or r["conf_high"] < 0 for r in (direct, through, total)]
    name = label.en[:1].lower() + label.en[1:]
    if clear[0] and clear[1] and direct["estimate"] * through["estimate"] < 0 and not clear[2]:
        en, zh = (
            f"Expectation goes with {name} in opposite ways that cancel",
            f"期望对{label.zh}的两种作用方向相反、相互抵消",
        )
    elif clear[2]:
        more, more_zh = ("more", "越高") if total["estimate"] > 0 else ("less", "越低")
        en, zh = f"Those who expect more report {more} {name} in all", f"总体上期望越高，{label.zh}{more_zh}"
    else:
        en, zh = f"That {name} goes with expectation in all is not shown", f"未能表明期望与{label.zh}总体相关"
    return Text(
        f"{en}: {d} directly, {t} through performance, {whole} together.",
        f"{zh}：直接 {d}，经由感知 {t}，合计 {whole}。",
    )


METHOD = Method(
    name="edt_inferred",
    number=2,
    title=Text("Expectation confirmation inferred from expectation and performance", "由期望与感知推断的期望确认"),
    needs=(
        forms("P", "Ew", option=("perceived", "expected")),
        construct("satisfaction", label=Text("satisfaction", "满意")),
    ),
    tell=tell,
    options=("expected", "perceived", "of", "outcome", "errors"),
)
