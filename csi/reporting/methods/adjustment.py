"""An expectation before and after beside satisfaction, as a section."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.adjustment import adjustment
from csi.expectation.adjustment_words import EXPECTATIONS, HEADINGS, QUANTITIES, SHAPES
from csi.reporting.methods.change import FOLLOWED
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

NUMBERS: dict[str, Kind] = {
    "n": "count", "estimate": "coefficient", "std_error": "coefficient", "p_value": "p", "conf_low": "coefficient",
    "conf_high": "coefficient",
}  # fmt: skip
MODELS: dict[str, Kind] = {
    "shape": "text", "expectation": "text", "n": "count", "terms": "count", "r2": "coefficient",
    "loo_r2": "coefficient",
}  # fmt: skip
SCORES: dict[str, Kind] = {
    "series": "text", "wave": "text", "items": "count", "n": "count", "mean": "number", "sd": "number",
    "alpha": "coefficient",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Which expectation explains more, how it moved, what went with a flag."""
    settings = study.settings
    of = options.of or expected_of(study)
    found = adjustment(
        panel, of, outcome_of(study, options), beside=options.beside or experience_of(study, of),
        flag=options.flag or None, since=options.since or None, form=options.expected, beside_form=options.perceived,
        where=options.where, replicates=max(settings.replicates, 1000), seed=settings.seed, level=settings.level,
        small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    texts = {**texts_of(study), **QUANTITIES, **SHAPES, **EXPECTATIONS, **found.labels}
    frames = (
        ("comparison", Text("R2 of people unseen: adjusted less initial", "留一 R²：调整后减初始"), found.comparison,
         {"shape": "text", **NUMBERS}),
        ("models", Text("What each expectation explains", "各期望的解释力"), found.models, MODELS),
        ("adjustment", Text("Change, slopes and paths", "变化、斜率与路径"), found.table,
         {"quantity": "text", **NUMBERS}),
        ("scores", Text("Scores by wave", "各期得分"), found.scores, SCORES),
    )  # fmt: skip
    y = found.labels["Y"]
    return Section(
        key="adjustment",
        title=title,
        subtitle=Text(f"{y.en}, {found.people} people", f"{y.zh}，{found.people} 名受访者"),
        paragraphs=more,
        tables=tuple(tabled(n, t, f, dict(kinds), HEADINGS, texts) for n, t, f, kinds in frames),
        notes=found.notes,
        data={"comparison": found.comparison, "models": found.models, "adjustment": found.table},
    )


def expected_of(study: Study) -> str:
    """The first construct asked as a will-expectation; "" where there is none."""
    return next((i.construct for i in study.codebook.items if i.form == "Ew"), "")


def experience_of(study: Study, of: str) -> str | None:
    """The experience that belongs to an expectation: the same construct as perceived, else one called performance."""
    book = study.codebook
    if book.items_of(of, "P"):
        return of
    return next((c for c in ("performance", "experience") if book.items_of(c)), None)


def outcome_of(study: Study, options: Options) -> str:
    """What is explained."""
    return options.outcome or (
        "satisfaction" if study.codebook.items_of("satisfaction") else study.settings.target or ""
    )


def _expected(study: Study, options: Options) -> bool:
    """Whether there is an expectation, and an outcome beside it."""
    of = options.of or expected_of(study)
    return bool(of) and outcome_of(study, options) not in ("", of)


METHOD = Method(
    name="adjustment",
    number=0,
    title=Text("Initial and adjusted expectation", "初始与调整后的期望"),
    needs=(
        FOLLOWED,
        Need(
            Text("an expectation and an outcome beside it", "期望以及另一结果变量"),
            _expected,
            Text(
                "give its items form: Ew, or name it: --of NAME, and what it explains: --outcome NAME",
                "为题项写 form: Ew，或以 --of 名称 指定期望，并以 --outcome 名称 指定被解释的构念",
            ),
        ),
    ),
    tell=tell,
    options=("of", "beside", "outcome", "flag", "since", "expected", "perceived"),
    cells=("where",),
    panel=True,
)
