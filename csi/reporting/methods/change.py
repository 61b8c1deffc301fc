"""How expectation moves within the same people, as a section."""

from __future__ import annotations

from csi.errors import Text
from csi.expectation.change import Change, change
from csi.expectation.change_fit import MODELS
from csi.expectation.change_words import HEADINGS, QUANTITIES, VERDICTS
from csi.expectation.longitudinal import TITLES
from csi.reporting.methods.method import Method, Need, tabled, texts_of, titled
from csi.reporting.section import Kind, Section, Table
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

TABLE: dict[str, Kind] = {
    "model": "text", "quantity": "text", "estimate": "coefficient", "std_error": "coefficient", "p_value": "p",
    "conf_low": "coefficient", "conf_high": "coefficient",
}  # fmt: skip
FITS: dict[str, Kind] = {
    "model": "text", "n": "count", "chi2": "number", "df": "count", "p_value": "p", "cfi": "coefficient",
    "rmsea": "coefficient", "srmr": "coefficient",
}  # fmt: skip
LADDER: dict[str, Kind] = {
    "series": "text", "step": "text", "released": "text", "chi2": "number", "df": "count", "p_value": "p",
    "cfi": "coefficient", "delta_chi2": "number", "delta_df": "count", "delta_p": "p", "delta_cfi": "coefficient",
    "verdict": "text",
}  # fmt: skip
WAVES: dict[str, Kind] = {
    "series": "text", "wave": "text", "n": "count", "mean": "number", "conf_low": "number", "conf_high": "number",
}  # fmt: skip


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The change within people, the ladder of invariance before it, the means of waves beside it."""
    settings = study.settings
    found = change(
        panel, options.of or _expected(study), options.shape or None, beside=options.beside or None,
        flag=options.flag or None, form=options.expected, beside_form=options.perceived, where=options.where,
        level=settings.level, small=settings.small, flagged=settings.flagged,
    )  # fmt: skip
    title, more = titled(found.sentences, METHOD.title)
    label = found.labels["A"]
    return Section(
        key="change",
        title=title,
        subtitle=Text(
            f"{label.en} in {found.units.scale.en}, {found.people} people",
            f"{label.zh}，以{found.units.scale.zh}计，{found.people} 名受访者",
        ),
        paragraphs=more,
        tables=tuple(_tables(study, found)),
        notes=found.notes,
        data={"change": found.table, "fits": found.fits, "ladder": found.ladder, "waves": found.waves},
    )


def _tables(study: Study, found: Change) -> list[Table]:
    """Change, fit, ladder, means."""
    words = {**QUANTITIES, **{str(k): t for k, t in TITLES.items()}, **VERDICTS, **found.labels}
    texts = {**texts_of(study), **words, **{name: title for name, (_, title) in MODELS.items()}}
    frames = (
        ("change", Text("Change within people", "个体内变化"), found.table, TABLE),
        ("fits", Text("Fit of the models", "模型拟合"), found.fits, FITS),
        ("ladder", Text("Equal measurement over waves", "各期测量等值"), found.ladder, LADDER),
        ("waves", Text("Means of waves, as answered", "各期均值（原始回答）"), found.waves, WAVES),
    )
    return [tabled(n, t, f, kinds, HEADINGS, texts) for n, t, f, kinds in frames if f.height]


def _expected(study: Study) -> str:
    """The construct that is asked as an expectation; else the first of the codebook."""
    items = study.codebook.items
    expected = [i.construct for i in items if i.form == "Ew"]
    return (expected or [i.construct for i in items])[0]


def _waves(study: Study, options: Options) -> bool:
    """Whether the same people may have answered in several waves."""
    del options
    keys = {*study.codebook.keys, *(k for f in study.data for k in f.rename)}
    return len(study.waves) > 1 and "respondent" in keys and study.respondents != "new"


FOLLOWED = Need(
    Text("the same respondents in two waves or more", "同一批受访者参加两期以上"),
    _waves,
    Text(
        "name keys: {respondent: id, wave: column}, list waves: order and say waves: {respondents: same}; new people "
        "in every wave are told by csi track",
        "写明 keys: {respondent: 编号列, wave: 期次列}，在 waves 中列出 order 并写 respondents: same；"
        "每期更换受访者时请用 csi track",
    ),
)
"""The same people in several waves."""

METHOD = Method(
    name="change",
    number=0,
    title=Text("Change over waves", "期望的变化"),
    needs=(FOLLOWED,),
    tell=tell,
    options=("of", "beside", "flag", "shape", "expected", "perceived"),
    cells=("where",),
    panel=True,
)
