"""Net Promoter Score, as a section."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from csi.behaviour.nps import HEADINGS, TOP, Nps, nps
from csi.errors import Problems, Text, problem
from csi.reporting.drawn import figure
from csi.reporting.figures import answers
from csi.reporting.methods.method import Method, Need, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import range_of
from csi.reporting.section import Figure, Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SCORES: dict[str, Kind] = {
    "n": "count", "nps": "score", "std_error": "score", "conf_low": "score", "conf_high": "score", "promoters": "share",
    "passives": "share", "detractors": "share", "mean": "number",
}  # fmt: skip
PAIRS: dict[str, Kind] = {
    "first": "text", "second": "text", "difference": "score", "std_error": "score", "conf_low": "score",
    "conf_high": "score", "p_value": "p", "p_adjusted": "p",
}  # fmt: skip
ANSWERS: dict[str, Kind] = {"answer": "count", "count": "count", "share": "share"}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """The score with its interval, and the whole distribution behind it."""
    item = options.item or _only(study)
    found = nps(
        panel,
        item,
        **asked(study, options),
    )
    texts = texts_of(study)
    title, more = titled(found.sentences, METHOD.title)
    heading = Text("Net Promoter Score, adjusted Wald interval", "净推荐值（调整 Wald 区间）")
    return Section(
        key="nps",
        title=title,
        subtitle=texts.get(item, Text(item, item)),
        paragraphs=more,
        figures=drawn(found, title),
        tables=(
            tabled("nps", heading, found.table, SCORES, HEADINGS, texts),
            tabled("answers", Text("All answers", "全部回答分布"), found.distribution, ANSWERS, HEADINGS, texts),
            *(
                [
                    tabled(
                        "differences",
                        Text("Differences of groups", "组间差异"),
                        found.differences,
                        PAIRS,
                        HEADINGS,
                        texts,
                    )
                ]
                if found.differences.height
                else []
            ),
        ),
        notes=found.notes,
        data={"nps": found.table, "distribution": found.distribution, "differences": found.differences},
    )


def drawn(found: Nps, title: Text) -> tuple[Figure, ...]:
    """All answers; none where there are several cells."""
    if found.table.height != 1 or not found.distribution.height:
        return ()
    return (figure("answers", title, partial(answers, found.distribution), half=True),)


def _only(study: Study) -> str:
    """The one question that is asked from 0 to 10.

    Raises:
        Problems: E-ROLE where there are several.
    """
    asked = [i.name for i in study.codebook.items if (i.scale.minimum, i.scale.maximum) == (0, TOP)]
    if len(asked) == 1:
        return asked[0]
    listed = ", ".join(asked)
    en, zh = f"several questions are answered from 0 to 10: {listed}.", f"有多个 0–10 分的题项：{listed}。"
    do, do_zh = (
        "Name one: --item NAME, or models: {nps: {item: NAME}}.",
        "请指定其一：--item 名称，或写 models: {nps: {item: 名称}}。",
    )
    raise Problems([problem("E-ROLE", "nps", en, zh, do, do_zh)])


def _asked() -> Need:
    """A question from 0 to 10; one that is named is for the score itself to accept or to refuse."""
    need = range_of(0, TOP)

    def met(study: Study, options: Options) -> bool:
        return bool(options.item) or need.met(study, options)

    return replace(need, met=met)


METHOD = Method(
    name="nps",
    number=11,
    title=Text("Net Promoter Score", "净推荐值（NPS）"),
    needs=(_asked(),),
    tell=tell,
    options=("item",),
)
