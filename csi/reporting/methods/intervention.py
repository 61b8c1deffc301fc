"""What went with an intervention, as a section."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.change_asked import scale_of
from csi.expectation.intervention import intervention
from csi.expectation.intervention_words import HEADINGS, PERIODS, QUANTITIES
from csi.reporting.methods.change import FOLLOWED
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

NUMBERS: dict[str, Kind] = {
    "n": "count", "estimate": "number", "std_error": "number", "p_value": "p", "conf_low": "number",
    "conf_high": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Means and changes of both groups, their difference, wave by wave."""
    settings = study.settings
    outcome = options.outcome or settings.target or ""
    found = intervention(
        panel, outcome, options.flag, since=options.since or None, form=options.perceived, where=options.where,
        level=settings.level, small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    scale = scale_of(panel, panel.codebook.items_of(outcome, options.perceived) or (outcome,))
    texts = {**texts_of(study), **QUANTITIES, **PERIODS}
    one = tabled(
        "intervention", Text("Both groups, before and after", "两组干预前后"), found.table,
        {"quantity": "text", **NUMBERS}, HEADINGS, texts,
    )  # fmt: skip
    waves = tabled(
        "events", Text("Difference by wave, against the last wave before", "各期差异（以干预前末期为基准）"),
        found.events, {"wave": "text", "period": "text", **NUMBERS}, HEADINGS, texts,
    )  # fmt: skip
    return Section(
        key="intervention",
        title=title,
        subtitle=Text(
            f"{found.labels['flag'].en}; means in {scale.en}", f"{found.labels['flag'].zh}；均值以{scale.zh}计"
        ),
        paragraphs=more,
        tables=(one, waves) if found.events.height else (one,),
        notes=found.notes,
        data={"intervention": found.table, "events": found.events},
    )


def _flagged(study: Study, options: Options) -> bool:
    """Whether a flag is named."""
    del study
    return bool(options.flag)


METHOD = Method(
    name="intervention",
    number=0,
    title=Text("What an intervention went with", "干预评估"),
    needs=(
        FOLLOWED,
        Need(
            Text("a flag of who had the intervention", "谁接受了干预的标记"),
            _flagged,
            Text(
                "name an item answered 0 or 1: --flag NAME, or models: {intervention: {flag: NAME}}",
                "指定一个 0/1 题项：--flag 名称，或写 models: {intervention: {flag: 名称}}",
            ),
        ),
    ),
    tell=tell,
    options=("outcome", "flag", "since", "perceived"),
    cells=("where",),
    panel=True,
)
