"""Who still buys and how often (BG/NBD), as a section."""

from __future__ import annotations

from functools import partial

from csi.behaviour.bgnbd import HEADINGS, bgnbd
from csi.errors import Problems, Text
from csi.reporting.drawn import figure
from csi.reporting.figures import counts
from csi.reporting.methods.method import Method, few_people, tabled, titled
from csi.reporting.methods.needs import table
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

PARAMETERS: dict[str, Kind] = {
    "parameter": "text", "estimate": "coefficient", "std_error": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient",
}  # fmt: skip
TOTALS: dict[str, Kind] = {
    "count": "count", "repeaters": "count", "repeats": "count", "expected": "score", "conf_low": "score",
    "conf_high": "score", "alive": "share",
}  # fmt: skip
FIT: dict[str, Kind] = {"x": "text", "actual": "count", "modelled": "score"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """What all customers are expected to buy, the parameters, and how well the model fits."""
    del panel, options
    events = study.table("purchases")
    few = None if events is None else few_people(events.frame["id"].n_unique(), study.settings.small, "bgnbd")
    if few is not None:
        raise Problems([few], study.language)
    found = bgnbd(events, level=study.settings.level)
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="bgnbd",
        title=title,
        subtitle=Text("BG/NBD, maximum likelihood", "BG/NBD 模型，极大似然"),
        paragraphs=more,
        figures=(figure("counts", title, partial(counts, found.fit), half=True),),
        tables=(
            tabled("totals", Text("All customers", "全部顾客"), found.totals, TOTALS, HEADINGS, {}),
            tabled("fit", Text("Customers by repeat purchases", "按复购次数的顾客数"), found.fit, FIT, HEADINGS, {}),
            tabled("parameters", Text("Parameters", "参数"), found.table, PARAMETERS, HEADINGS, {}),
        ),
        notes=found.notes,
        data={"bgnbd": found.table, "totals": found.totals, "fit": found.fit},
    )


METHOD = Method(
    name="bgnbd",
    number=11,
    title=Text("Purchases expected of customers (BG/NBD)", "顾客未来购买预测（BG/NBD）"),
    needs=(table("purchases", "amount"),),
    tell=tell,
    cells=(),
)
