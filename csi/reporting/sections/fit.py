"""How well the measurement model fits as common factors: measures in words, and what the doctor finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import polars as pl

import csi
from csi.errors import Text, note
from csi.estimate.estimate import Estimate
from csi.estimate.fit import fit
from csi.measures.admissible import verify
from csi.measures.fit_measures import fit_measures
from csi.models.model import Model
from csi.reporting import figures, style, words
from csi.reporting.analysis import Analysis
from csi.reporting.drawn import figure
from csi.reporting.section import Column, Section, Table

GOOD = Text("good", "良好")
FAIR = Text("acceptable", "可接受")
POOR = Text("poor", "不佳")


@dataclass(frozen=True, slots=True)
class Limit:
    """Customary limits of a measure: good and acceptable; ends of its scale; whether large is good."""

    good: float
    fair: float
    low: float
    high: float
    rising: bool = False

    def verdict(self, value: float) -> Text:
        """The word for a value."""
        if (value >= self.good) if self.rising else (value <= self.good):
            return GOOD
        return FAIR if ((value >= self.fair) if self.rising else (value <= self.fair)) else POOR


LIMITS: Mapping[str, Limit] = {
    "cfi": Limit(0.95, 0.90, 0.8, 1.0, rising=True),
    "tli": Limit(0.95, 0.90, 0.8, 1.0, rising=True),
    "rmsea": Limit(0.06, 0.08, 0.0, 0.12),
    "srmr": Limit(0.08, 0.10, 0.0, 0.12),
}
"""Good: Hu & Bentler (1999), Structural Equation Modeling 6(1). Acceptable: CFI, TLI Bentler & Bonett (1980),
Psychological Bulletin 88(3); RMSEA Browne & Cudeck (1993), Testing structural equation models, p. 144; SRMR
Schermelleh-Engel, Moosbrugger & Müller (2003), Methods of Psychological Research Online 8(2)."""

NAMES = {k: Text(k.upper(), k.upper()) for k in LIMITS}

LIMIT_NOTE = note(
    "N-FIT-LIMITS",
    "Limits are customs, not tests: CFI, TLI .95, RMSEA .06, SRMR .08 (Hu & Bentler 1999); acceptable: CFI, TLI .90 "
    "(Bentler & Bonett 1980), RMSEA .08 (Browne & Cudeck 1993), SRMR .10 (Schermelleh-Engel et al. 2003).",
    "界值为惯例，并非检验：CFI、TLI 0.95，RMSEA 0.06，SRMR 0.08（Hu & Bentler 1999）；可接受：CFI、TLI 0.90"
    "（Bentler & Bonett 1980），RMSEA 0.08（Browne & Cudeck 1993），SRMR 0.10（Schermelleh-Engel 等 2003）。",
)


@dataclass(frozen=True, slots=True)
class Fitting:
    """The factor model of the focal brand's items at the wave, and its measures of fit."""

    estimate: Estimate
    measures: Mapping[str, float]

    @property
    def worst(self) -> Text:
        """The least favourable verdict."""
        said = [LIMITS[k].verdict(self.measures[k]) for k in LIMITS if k in self.measures]
        return POOR if POOR in said else FAIR if FAIR in said else GOOD


def factors(model: Model) -> str:
    """The constructs of several items as correlated factors, in lavaan's language."""
    blocks = [c for c in model.constructs if len(c.items) > 1 and not set(c.items) & set(model.names)]
    return "\n".join(f"{c.name} =~ {' + '.join(c.items)}" for c in blocks if not c.product_of)


def fitting(a: Analysis) -> Fitting:
    """The factor model fitted by MLR to the focal brand's answers at the wave.

    Raises:
        Problems: where it cannot be fitted.
    """
    whole = a.study.settings.missing == "listwise"
    settings = csi.SEM(estimator="MLR", missing="listwise" if whole else "fiml")
    est = fit(factors(a.model), a.panel, settings, where={"brand": a.focal, "wave": a.wave})
    return Fitting(est, measured(est))


def measured(est: Estimate) -> dict[str, float]:
    """cfi, tli, rmsea with its interval, chi2, df, p_value and srmr of a covariance fit; robust where there are."""
    table = fit_measures(est).table.drop_nulls("value")
    found = dict(zip(table["measure"], table["value"], strict=True))
    best = {k: found.get(f"{k}_robust", found.get(k)) for k in ("cfi", "tli", "rmsea")}
    best |= {"rmsea_low": found.get("rmsea_conf_low_robust", found.get("rmsea_conf_low"))}
    best |= {"rmsea_high": found.get("rmsea_conf_high_robust", found.get("rmsea_conf_high"))}
    best |= {"chi2": found.get("chi2_scaled", found.get("chi2")), "df": found.get("df"), "srmr": found.get("srmr")}
    best |= {"p_value": found.get("p_value_scaled", found.get("p_value"))}
    return {k: float(v) for k, v in best.items() if v is not None}


def fit_section(a: Analysis) -> Section:
    """Gauges of CFI, TLI, RMSEA and SRMR; the diagnosis of the fit."""
    found = fitting(a)
    diagnosis = verify(found.estimate)
    m = found.measures
    title = _title(found, len(diagnosis.errors))
    rows = [gauge(name, m) for name in LIMITS if name in m]
    draw = partial(figures.gauges, rows, labels=NAMES)
    p = words.p_said(m.get("p_value"))
    factors_ = len(found.estimate.solution.constructs)
    items = len(found.estimate.solution.items)
    en = (
        f"{factors_} correlated factors, {items} items, MLR: χ²({m['df']:.0f}) = {m['chi2']:.1f}, {p.en}; ticks: limits"
    )
    zh = f"{factors_} 个相关因子、{items} 个题项，MLR：χ²({m['df']:.0f}) = {m['chi2']:.1f}，{p.zh}；刻度为界值"
    brand = a.brand_labels[a.focal]
    frame = pl.DataFrame({"measure": list(m), "value": list(m.values())})
    table = _diagnosis(found.estimate)
    return Section(
        key="fit",
        title=title,
        subtitle=Text(f"{brand.en}: {en}", f"{brand.zh}：{zh}"),
        figures=(figure("fit", title, draw),),
        tables=() if table is None else (table,),
        notes=(LIMIT_NOTE,),
        data={"fit_measures": frame, "diagnosis": diagnosis.table},
    )


def _title(found: Fitting, errors: int) -> Text:
    """The sentence over the gauges."""
    worst, m = found.worst, found.measures
    said = {
        GOOD: Text("the items fit their constructs as common factors well", "题项作为公因子模型拟合良好"),
        FAIR: Text("the items fit their constructs as common factors acceptably", "题项作为公因子模型拟合可接受"),
        POOR: Text("the items do not fit their constructs as common factors", "题项作为公因子模型拟合不佳"),
    }[worst]
    numbers = Text(
        ", ".join(f"{k.upper()} {style.coefficient(m[k], 'en', 3)}" for k in ("cfi", "rmsea", "srmr") if k in m),
        "、".join(f"{k.upper()} {style.coefficient(m[k], 'zh', 3)}" for k in ("cfi", "rmsea", "srmr") if k in m),
    )
    wrong = Text(f"the solution has {errors} faults", f"解存在 {errors} 处问题") if errors else Text("", "")
    return words.sentence(Text(f"{said.en} ({numbers.en})", f"{said.zh}（{numbers.zh}）"), wrong)


def gauge(name: str, m: Mapping[str, float]) -> dict[str, object]:
    """What a gauge draws: value, ends of the scale, limits, the word for it."""
    limit, value = LIMITS[name], m[name]
    ends = {"conf_low": m.get("rmsea_low"), "conf_high": m.get("rmsea_high")} if name == "rmsea" else {}
    verdict = limit.verdict(value)
    return {
        "name": name, "value": value, "low": limit.low, "high": limit.high, "limits": sorted([limit.fair, limit.good]),
        "good": verdict is not POOR, "verdict": verdict, **ends,
    }  # fmt: skip


def _diagnosis(est: Estimate) -> Table | None:
    """What the doctor finds, with cause and remedy; None where there is nothing."""
    found = [g.worst for g in verify(est).gathered]
    if not found:
        return None
    texts = {t.en: t for f in found for t in (f.what, f.cause, f.remedy)}
    frame = pl.DataFrame(
        [(f.code, f.what.en, f.cause.en, f.remedy.en) for f in found],
        schema={"code": pl.String, "what": pl.String, "cause": pl.String, "remedy": pl.String},
        orient="row",
    )
    columns = (
        Column("what", Text("Found", "发现")),
        Column("cause", Text("Likely cause", "可能原因")),
        Column("remedy", Text("Remedy", "建议")),
    )
    return Table("diagnosis", Text("Diagnosis of the solution", "解的诊断"), frame, columns, texts=texts)
