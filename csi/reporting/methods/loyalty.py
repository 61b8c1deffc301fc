"""Types of loyalty and the satisfaction-loyalty curve, as sections."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from csi.behaviour.loyalty_curve import HEADINGS as OF_CURVE
from csi.behaviour.loyalty_curve import LoyaltyCurve, loyalty_curve
from csi.behaviour.loyalty_types import HEADINGS, SIDES, LoyaltyTypes, loyalty_types
from csi.behaviour.loyalty_types import TYPES as WORDS
from csi.errors import Text
from csi.reporting.drawn import figure
from csi.reporting.figures import curve, loyalty_map
from csi.reporting.methods.method import Method, asked, begun, tabled, texts_of, titled
from csi.reporting.methods.needs import construct
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHARES: dict[str, Kind] = {
    "type": "text", "attitude": "text", "patronage": "text", "count": "count", "share": "share", "conf_low": "share",
    "conf_high": "share",
}  # fmt: skip
SEGMENTS: dict[str, Kind] = {
    "start": "score", "end": "score", "n": "count", "slope": "coefficient", "conf_low": "coefficient",
    "conf_high": "coefficient", "change": "coefficient", "p_change": "p",
}  # fmt: skip
BANDS: dict[str, Kind] = {
    "start": "score", "end": "score", "n": "count", "mean": "score", "conf_low": "score", "conf_high": "score",
    "fitted": "score",
}  # fmt: skip


def tell_types(study: Study, panel: Panel, options: Options) -> Section:
    """Dick and Basu's four types."""
    attitude, patronage = (options.constructs.get(n, n) for n in ("loyalty", "repurchase"))
    found = loyalty_types(
        panel,
        attitude,
        patronage,
        **asked(study, options),
    )
    texts = {**texts_of(study), **WORDS, **SIDES}
    title, more = titled(found.sentences, TYPES.title)
    heading = Text("Attitude crossed with patronage", "态度与行为交叉")
    return Section(
        key="loyalty_types",
        title=title,
        subtitle=begun(found.notes[0].text),
        paragraphs=more,
        figures=drawn_types(found, title, texts),
        tables=(tabled("types", heading, found.table, SHARES, HEADINGS, texts),),
        notes=found.notes[1:],
        data={"types": found.table},
    )


def drawn_types(found: LoyaltyTypes, title: Text, texts: Mapping[str, Text]) -> tuple[Figure, ...]:
    """The four types as a map; none where there are several cells."""
    if found.table.height != len(WORDS) or found.table["share"].null_count():
        return ()
    feels, buys = found.labels[found.attitude], found.labels[found.patronage]
    draw = partial(loyalty_map, found.table, labels=texts, attitude=feels, patronage=buys)
    return (figure("types", title, draw, half=True),)


def tell_curve(study: Study, panel: Panel, options: Options) -> Section:
    """Slopes of loyalty on satisfaction, and means by band."""
    satisfaction, loyalty = (options.constructs.get(n, n) for n in ("satisfaction", "loyalty"))
    found = loyalty_curve(
        panel,
        satisfaction,
        loyalty,
        **asked(study, options),
    )
    texts = texts_of(study)
    title, more = titled(found.sentences, CURVE.title)
    slopes = Text("Slope of loyalty on satisfaction, by segment", "忠诚对满意度的分段斜率")
    means = Text("Mean loyalty by band of satisfaction", "各满意度区间的忠诚均值")
    return Section(
        key="loyalty_curve",
        title=title,
        subtitle=begun(found.notes[0].text),
        paragraphs=more,
        figures=drawn_curve(found, title),
        tables=(
            tabled("slopes", slopes, found.table, SEGMENTS, OF_CURVE, texts),
            tabled("bands", means, found.curve, BANDS, OF_CURVE, texts),
        ),
        notes=found.notes[1:],
        data={"slopes": found.table, "bands": found.curve, "line": found.line, "fits": found.fits},
    )


def drawn_curve(found: LoyaltyCurve, title: Text) -> tuple[Figure, ...]:
    """The curve with its band; none where there are several cells or no curve."""
    if found.fits.height != 1 or not found.line.height:
        return ()
    across, up = found.labels[found.satisfaction], found.labels[found.loyalty]
    told = found.curve.filter(found.curve["mean"].is_not_null())
    bends = [float(v) for v in found.table["start"][1:]]
    return (figure("curve", title, partial(curve, found.line, told, across=across, up=up, knots=bends)),)


TYPES = Method(
    name="loyalty_types",
    number=11,
    title=Text("Types of loyalty (Dick and Basu)", "忠诚类型（Dick–Basu）"),
    needs=(
        construct("loyalty", label=Text("attitude", "态度")),
        construct("repurchase", label=Text("patronage", "行为")),
    ),
    tell=tell_types,
    options=("constructs",),
)

CURVE = Method(
    name="loyalty_curve",
    number=11,
    title=Text("Satisfaction-loyalty curve", "满意度—忠诚曲线"),
    needs=(
        construct("satisfaction", label=Text("satisfaction", "满意")),
        construct("loyalty", label=Text("loyalty", "忠诚")),
    ),
    tell=tell_curve,
    options=("constructs",),
)
