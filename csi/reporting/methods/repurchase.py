"""How many customers buy again, how often, and how soon, as a section."""

from __future__ import annotations

from functools import partial

from csi.behaviour.buying import UNITS, Unit
from csi.behaviour.repurchase import repurchase
from csi.behaviour.repurchase_words import HEADINGS
from csi.behaviour.survival import Survival, survival
from csi.behaviour.survival_words import AGAIN
from csi.behaviour.survival_words import HEADINGS as CURVE
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures.staying import staying
from csi.reporting.methods.method import Method, tabled, texts_of, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHARES: dict[str, Kind] = {
    "customers": "count", "n": "count", "again": "count", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
RATES: dict[str, Kind] = {
    "n": "count", "repeaters": "count", "repeats": "count", "rate": "estimate", "conf_low": "estimate",
    "conf_high": "estimate",
}  # fmt: skip
COHORTS: dict[str, Kind] = {
    "cohort": "text", "n": "count", "again": "count", "share": "share", "conf_low": "share", "conf_high": "share",
}  # fmt: skip
MEDIANS: dict[str, Kind] = {
    "n": "count", "events": "count", "median": "score", "median_low": "score", "median_high": "score",
}  # fmt: skip
TESTS: dict[str, Kind] = {"test": "text", "groups": "count", "chi2": "number", "df": "count", "p_value": "p"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares, rates and cohorts; the time to the second purchase."""
    del panel
    settings, unit = study.settings, unit_of(options)
    log = study.table("purchases")
    found = repurchase(
        log, within=options.within or None, by=options.by, unit=unit, cohort=options.period or "quarter",
        level=settings.level, small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    time = survival(log, by=options.by, unit=unit, level=settings.level, small=settings.small, flagged=settings.flagged)
    texts = texts_of(study)
    heads = {
        **HEADINGS,
        "n": Text(f"observed {found.within:g} {UNITS[unit].en}", f"观察满 {found.within:g} {UNITS[unit].zh}"),
    }
    every = {
        **HEADINGS,
        "n": HEADINGS["customers"],
        "rate": Text(f"a customer and {unit}", f"每顾客每{UNITS[unit].zh}"),
    }
    told = {**CURVE, "n": HEADINGS["customers"], "events": HEADINGS["again"]}
    parts = (
        ("shares", Text(f"Bought again within {found.within:g} {UNITS[unit].en}",
                        f"{found.within:g} {UNITS[unit].zh}内复购"), found.table, SHARES, heads),
        ("rates", Text("Repeat purchases in all the time observed", "全部观察时长内的复购次数"), found.rates, RATES,
         every),
        ("cohorts", Text("By when customers came", "按首购批次"), found.cohorts, COHORTS, heads),
        ("medians", Text(f"Time to the second purchase ({UNITS[unit].en})", f"至第二次购买的时间（{UNITS[unit].zh}）"),
         time.table, MEDIANS, told),
        ("tests", Text("Whether groups differ", "各组是否不同"), time.tests, TESTS, CURVE),
    )  # fmt: skip
    title, more = titled((*found.sentences, *time.sentences), METHOD.title)
    return Section(
        key="repurchase",
        title=title,
        subtitle=Text(
            "Shares with Wilson's limits, rates with customers as units, Kaplan-Meier",
            "占比用威尔逊区间，复购率以顾客为单位，Kaplan–Meier",
        ),
        paragraphs=more,
        figures=drawn(time, title, texts),
        tables=tuple(tabled(k, t, f, kinds, named, {**texts, **NAMES}) for k, t, f, kinds, named in parts if f.height),
        notes=(*found.notes, *(n for n in time.notes if n not in found.notes)),
        data={"repurchase": found.table, "rates": found.rates, "cohorts": found.cohorts, "curve": time.curve,
              "medians": time.table, "tests": time.tests},
    )  # fmt: skip


def unit_of(options: Options) -> Unit:
    """What time is counted in."""
    return options.unit or "week"


NAMES = {
    "log-rank": Text("log-rank", "对数秩检验"),
    "robust": Text("score test, errors by customers", "得分检验（按顾客聚类）"),
}


def drawn(found: Survival, title: Text, texts: dict[str, Text]) -> tuple[Figure, ...]:
    """The curves; none where no curve has events, or groups are of two columns."""
    if len(found.by) > 1 or not found.curve["events"].sum():
        return ()
    group = found.by[0] if found.by else ""
    up = AGAIN["survival"] if found.waited == "repurchase" else CURVE["survival"]
    made = partial(staying, found.curve.drop_nulls("survival"), found.risk, group=group, across=UNITS[found.unit],
                   up=up, labels=texts)  # fmt: skip
    return (figure("curve", title, made),)


METHOD = Method(
    name="repurchase",
    number=11,
    title=Text("Customers who buy again", "顾客复购"),
    needs=(table("purchases"),),
    tell=tell,
    options=("within", "unit", "period"),
    cells=("by",),
)
