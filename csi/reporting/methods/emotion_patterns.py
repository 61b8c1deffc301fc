"""Patterns of emotion, as a section."""

from __future__ import annotations

from csi.behaviour.emotion_patterns import HEADINGS, emotion_patterns
from csi.errors import Text
from csi.reporting.methods.method import Method, asked, tabled, texts_of, titled
from csi.reporting.methods.needs import construct
from csi.reporting.section import Kind, Section
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.panel import Panel

SHARES: dict[str, Kind] = {
    "pattern": "text", "count": "count", "share": "share", "conf_low": "share", "conf_high": "share",
    "positive": "score", "negative": "score", "outcome": "score", "outcome_low": "score", "outcome_high": "score",
}  # fmt: skip
CHOICE: dict[str, Kind] = {
    "patterns": "count", "stability": "coefficient", "std_error": "coefficient", "resamples": "count",
    "explained": "share", "taken": "text",
}  # fmt: skip
YES = {"yes": Text("yes", "是"), "no": Text("no", "否")}


def tell(study: Study, panel: Panel, options: Options) -> Section:
    """Shares of the patterns, what goes with them, how stable they are."""
    positive, negative = (options.constructs.get(n, n) for n in ("positive", "negative"))
    found = emotion_patterns(
        panel, positive, negative, outcome=options.outcome or None, seed=study.settings.seed,
        **asked(study, options),
    )  # fmt: skip
    texts = {**texts_of(study), **found.labels, **YES}
    heads = {**HEADINGS, "taken": HEADINGS["told"], "outcome": texts.get(found.outcome, HEADINGS["outcome"])}
    shown = {c: k for c, k in SHARES.items() if found.table[c].null_count() < found.table.height}
    yes = found.choice["told"].replace_strict({True: "yes", False: "no"}).alias("taken")
    title, more = titled(found.sentences, METHOD.title)
    return Section(
        key="emotion_patterns",
        title=title,
        subtitle=Text(
            "Customers grouped by both emotions (0-100), strong above 50; stability: how far resamples find the same "
            "groups (1 always, 0 by chance)",
            "按两种情感得分（0–100）分组，高于 50 为强；稳定性：重抽样得到相同分组的程度（1 为完全一致，0 为随机）",
        ),
        paragraphs=more,
        tables=(
            tabled("patterns", Text("Patterns of emotion", "情感模式"), found.table, shown, heads, texts),
            tabled(
                "choice", Text("How many patterns", "模式个数"), found.choice.with_columns(yes), CHOICE, heads, texts
            ),
        ),
        notes=found.notes,
        data={"patterns": found.table, "choice": found.choice},
    )


METHOD = Method(
    name="emotion_patterns",
    number=8,
    title=Text("Patterns of emotion", "情感模式"),
    needs=(
        construct("positive", label=Text("positive emotion", "积极情感")),
        construct("negative", label=Text("negative emotion", "消极情感")),
    ),
    tell=tell,
    options=("constructs", "outcome"),
)
