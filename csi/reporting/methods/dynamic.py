"""How expectation is made anew from wave to wave, as a section."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.dynamic import dynamic_expectation
from csi.expectation.dynamic_words import CLAIMS, COEFFICIENTS, EQUATIONS, FOUND, HEADINGS
from csi.reporting.methods.adjustment import SCORES, expected_of, experience_of
from csi.reporting.methods.change import FOLLOWED
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

NUMBERS: dict[str, Kind] = {
    "people": "count", "n": "count", "estimate": "coefficient", "std_error": "coefficient",
    "conf_low": "coefficient", "conf_high": "coefficient", "claim": "text", "p_value": "p", "found": "text",
}  # fmt: skip
TABLE: dict[str, Kind] = {"equation": "text", "coefficient": "text", **NUMBERS}
GAINS: dict[str, Kind] = {"stage": "text", **NUMBERS, "by_experience": "coefficient", "by_expectation": "coefficient"}
STEPS: dict[str, Kind] = {"first": "text", "second": "text", **NUMBERS}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Equations with their claims, gains by stage, scores."""
    settings, of, beside = study.settings, *_roles(study, options)
    stages = tuple(study.stages) if "stage" in panel.frame.columns and len(study.stages) > 1 else ()
    seen = set(panel.frame["stage"].drop_nulls().unique()) if stages else set()
    stages = tuple(s for s in stages if s in seen)
    found = dynamic_expectation(
        panel, of, beside, should=options.constructs.get("should"), competing=options.constructs.get("competing"),
        delivered=options.constructs.get("delivered"), stages=stages if len(stages) > 1 else (),
        stage_labels=study.stages, form=options.expected, beside_form=options.perceived, where=options.where,
        replicates=max(settings.replicates, 1000), seed=settings.seed, level=settings.level, small=settings.small,
        flagged=settings.flagged,
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    texts = {**texts_of(study), **EQUATIONS, **COEFFICIENTS, **CLAIMS, **FOUND, **found.labels}
    frames = (
        ("dynamic", Text("From wave to wave", "逐期方程"), found.table, TABLE),
        ("gains", Text("Gain of each stage", "各阶段的增益"), found.gains, GAINS),
        ("steps", Text("Gain less that of the next stage", "与下一阶段增益之差"), found.steps, STEPS),
        ("scores", Text("Scores by wave", "各期得分"), found.scores, SCORES),
    )
    return Section(
        key="dynamic",
        title=title,
        subtitle=Text(f"{found.people} people", f"{found.people} 名受访者"),
        paragraphs=more,
        tables=tuple(tabled(n, t, f, kinds, HEADINGS, texts) for n, t, f, kinds in frames if f.height),
        notes=found.notes,
        data={"dynamic": found.table, "gains": found.gains, "steps": found.steps},
    )


def _roles(study: Study, options: Options) -> tuple[str, str]:
    """The expectation and the experience; "" for what is not there."""
    of = options.of or options.constructs.get("will") or expected_of(study)
    return of, options.beside or options.constructs.get("experience") or experience_of(study, of) or ""


def _both(study: Study, options: Options) -> bool:
    """Whether expectation and experience were asked on one scale."""
    book, names = study.codebook, _roles(study, options)
    form_a, form_b = options.expected or "Ew", options.perceived or "P"
    blocks = [
        [book[i] for i in book.items_of(n, f) or book.items_of(n, None) or ((n,) if n in book.names else ())]
        for n, f in zip(names, (form_a, form_b), strict=True)
    ]
    ranges = {(i.scale.minimum, i.scale.maximum) for b in blocks for i in b}
    return all(blocks) and len(ranges) == 1


METHOD = Method(
    name="dynamic",
    number=0,
    title=Text("How expectation is made anew", "期望的动态更新"),
    needs=(
        FOLLOWED,
        Need(
            Text("expectation and experience on one scale", "同一量表上的期望与体验"),
            _both,
            Text(
                "give items form: Ew and form: P (or a construct performance), or name both: --of NAME --beside NAME",
                "为题项写 form: Ew 与 form: P（或设构念 performance），或以 --of 名称 --beside 名称 指定",
            ),
        ),
    ),
    tell=tell,
    options=("of", "beside", "constructs", "expected", "perceived"),
    cells=("where",),
    panel=True,
)
