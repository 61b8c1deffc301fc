"""The response surface of an outcome over expectation and performance, as sections of two models."""

from __future__ import annotations

from functools import partial

import polars as pl

from csi.errors import Note, Text
from csi.expectation.forms import FORMS
from csi.expectation.surface import Surface, surface
from csi.expectation.surface_words import CLAIMS, EFFECTS, HEADINGS, QUANTITIES, TERMS, as_answered
from csi.reporting.drawn import figure
from csi.reporting.figures import Seen, contour
from csi.reporting.methods.method import Method, outcome_label, tabled, texts_of, titled
from csi.reporting.methods.needs import construct, forms
from csi.reporting.section import Figure, Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

JUDGED: dict[str, Kind] = {
    "estimate": "coefficient", "std_error": "coefficient", "conf_low": "coefficient", "conf_high": "coefficient",
    "p_value": "p",
}  # fmt: skip
NESTED: dict[str, Kind] = {
    "claim": "text", "n": "count", "r2": "coefficient", "r2_adjusted": "coefficient", "restrictions": "count",
    "f": "number", "p_value": "p", "f_classical": "number", "p_classical": "p",
}  # fmt: skip
SIDES: dict[str, Kind] = {
    "n": "count", "n_short": "count", "n_over": "count", "b_short": "coefficient", "b_over": "coefficient",
    "b_perceived": "coefficient", "difference": "coefficient", "difference_low": "coefficient",
    "difference_high": "coefficient", "difference_p": "p",
}  # fmt: skip
LEAST = 1000
"""Fewest resamples behind points, axis and average slopes."""


def found_of(study: Study, panel: Panel, options: Options) -> Surface:
    """The surface that a study's options ask for."""
    settings = study.settings
    return surface(
        panel,
        options.expected or "Ew",
        options.perceived or "P",
        of=options.of or "overall",
        outcome=options.outcome or None,
        by=options.by,
        where=options.where,
        errors=options.errors or "robust",
        replicates=max(settings.replicates, LEAST),
        seed=settings.seed,
        level=settings.level,
        small=settings.small,
        flagged=settings.flagged,
    )


def tables_of(study: Study, found: Surface) -> dict[str, Table]:
    """The frames of a surface, in words."""
    texts = {**texts_of(study), **found.labels, **QUANTITIES, **TERMS, **CLAIMS, **EFFECTS}
    features: dict[str, Kind] = {"quantity": "text", **JUDGED}
    frames: dict[str, tuple[Text, pl.DataFrame, dict[str, Kind]]] = {
        "surface": (Text("Features of the surface", "曲面特征"), as_answered(found.table, found.centre), features),
        "claims": (Text("Claims against the full surface", "各命题与完整曲面的比较"), found.claims, NESTED),
        "coefficients": (Text("Coefficients", "回归系数"), found.coefficients, {"term": "text", **JUDGED}),
        "asymmetry": (Text("Falling short against exceeding", "未达与超出"), found.asymmetry, SIDES),
        "paths": (Text("Average slopes", "平均斜率"), found.paths, {"effect": "text", **JUDGED}),
    }
    return {
        name: tabled(name, title, frame, {c: k for c, k in kinds.items() if c in frame.columns}, HEADINGS, texts)
        for name, (title, frame, kinds) in frames.items()
        if frame.height and not (name == "asymmetry" and frame["difference"].null_count() == frame.height)
    }


def notes_of(found: Surface) -> tuple[Note, ...]:
    """What is doubtful, and why points are withheld."""
    return (*found.notes, *(Note(code, why.text) for code, why in found.reasons.items()))


def data_of(found: Surface) -> dict[str, pl.DataFrame]:
    """The frames in full precision; the corners of the answers' outline stay out, they are single respondents."""
    return {
        "surface": found.table, "coefficients": found.coefficients, "claims": found.claims,
        "asymmetry": found.asymmetry, "paths": found.paths,
    }  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """a1 to a5, stationary point and axis, nested claims, asymmetry, the contour."""
    found = found_of(study, panel, options)
    tables = tables_of(study, found)
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="surface",
        title=title,
        subtitle=Text(
            "Lines join equal values of the outcome; the diagonal is where experience equals expectation; "
            "the outline holds all answers",
            "等值线连接结果相同的点；对角线为感知等于期望；轮廓包含全部回答",
        ),
        paragraphs=more,
        figures=drawn(study, found, title),
        tables=tuple(tables[n] for n in ("surface", "claims", "asymmetry", "coefficients") if n in tables),
        notes=notes_of(found),
        data=data_of(found),
    )


def drawn(study: Study, found: Surface, title: Text) -> tuple[Figure, ...]:
    """The surface from above; none where there are several cells or no surface."""
    b = found.coefficients["estimate"][:6]
    if found.centre.size != 1 or b.null_count() or found.cloud.height < 3:
        return ()
    place = dict(found.table.select("quantity", "estimate").iter_rows())
    at = (place["expected0"], place["perceived0"])
    seen = Seen(
        slopes=b.to_numpy(),
        centre=float(found.centre[0]),
        corners=found.cloud.select("expected", "perceived").to_numpy(),
        point=None if at[0] is None or at[1] is None else (at[0] + found.centre[0], at[1] + found.centre[0]),
        low=found.low,
        high=found.high,
        across=_capital(FORMS[found.expected]),
        up=_capital(FORMS[found.perceived]),
        outcome=outcome_label(study, found.outcome),
    )
    return (figure("surface", title, partial(contour, seen), half=True),)


def _capital(name: Text) -> Text:
    """A name that begins a line."""
    return Text(name.en[:1].upper() + name.en[1:], name.zh)


METHOD = Method(
    name="surface",
    number=6,
    title=Text("Expectation-disconfirmation as a response surface", "期望不一致：响应曲面"),
    needs=(
        forms("P", "Ew", option=("perceived", "expected")),
        construct("satisfaction", label=Text("satisfaction", "满意")),
    ),
    tell=tell,
    options=("expected", "perceived", "of", "outcome", "errors"),
)
