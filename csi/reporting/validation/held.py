"""What every section of a validation looks up: names of items and constructs, wordings, the number of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from csi.errors import Note, Reason, Text
from csi.measures.questionnaire.validate import Validation
from csi.reporting import words


def labels_of(v: Validation) -> dict[str, Text]:
    """Construct and group -> what it is called; items have their code and wording."""
    named = {c: v.answers.label(c) for c in v.answers.scales}
    return named | {i: coded(v, i) for i in v.answers.names} | dict(v.asked.labels)


def coded(v: Validation, item: str) -> Text:
    """An item's code with its wording.

    Example:
        >>> import polars as pl
        >>> from csi.measures.questionnaire.validate import validated
        >>> frame = pl.DataFrame({f"q{k}": [1, 2, 3, 4, 5, 3 + k % 2] * 8 for k in range(3)})
        >>> coded(validated(frame, {"trust": ["q0", "q1", "q2"]}, draws=0), "q1").en
        'q1'
    """
    label = v.answers.label(item)
    if label.en == item and label.zh == item:
        return Text(item, item)
    return Text(f"{item} {label.en}".strip(), f"{item} {label.zh}".strip())


def wording(v: Validation, item: str) -> Text:
    """An item's wording; nothing where it has none, so that its code does not stand twice."""
    label = v.answers.label(item)
    return Text("" if label.en == item else label.en, "" if label.zh == item else label.zh)


def listed(v: Validation, names: Sequence[str], most: int = 6) -> Text:
    """Names in a sentence, the rest counted."""
    shown = [v.answers.label(n) if n in v.answers.scales else Text(n, n) for n in names[:most]]
    said = words.listed(shown)
    more = len(names) - len(shown)
    return Text(f"{said.en} and {more} more", f"{said.zh}等 {len(names)} 项") if more > 0 else said


def reasons_told(v: Validation, table: pl.DataFrame, column: str, reasons: Mapping[str, Reason]) -> tuple[Note, ...]:
    """One note per reason, naming whom it is about."""
    notes = []
    for code, why in reasons.items():
        own = table.filter(pl.col("reason").str.split(" ").list.contains(code))
        who = own[column].unique(maintain_order=True).to_list()
        if who:
            said = listed(v, who)
            notes.append(Note(code, Text(f"{said.en}: {why.text.en}", f"{said.zh}：{why.text.zh}")))
    return tuple(notes)


def untested(v: Validation) -> bool:
    """Whether the factor model has as many parameters as there are correlations, so that it fits whatever they are."""
    return v.factors is not None and v.factors.measures.get("df") == 0


PARTS = {
    "items": Text("Items", "题项分析"),
    "consistency": Text("Reliability", "信度"),
    "correlations": Text("Correlations", "相关矩阵"),
    "adequacy": Text("Sampling adequacy", "取样适当性"),
    "n_factors": Text("Number of factors", "因子数"),
    "efa": Text("Exploratory factors", "探索性因子"),
    "factors": Text("Factor model", "因子模型"),
    "discriminant": Text("Discriminant validity", "区分效度"),
    "common_method": Text("Common method", "共同方法偏差"),
    "criterion": Text("Criterion", "效标"),
    "known": Text("Known groups", "已知组"),
    "ladder": Text("Invariance", "测量不变性"),
    "dif": Text("Item bias", "题项功能差异"),
    "irt": Text("Item response", "项目反应"),
    "mtmm": Text("Traits by methods", "多特质-多方法"),
    "short": Text("Short form", "简版"),
    "retest": Text("Retest", "重测"),
    "raters": Text("Raters", "评分者一致性"),
}
"""Parts of a validation by name."""


def absent_notes(v: Validation) -> tuple[Note, ...]:
    """Why parts of the validation are not there, each reason once with its parts, its place and what it is about."""
    parts: dict[tuple[str, Text], list[Text]] = {}
    for key, why in v.absent.items():
        part, _, of = key.partition(":")
        name = PARTS.get(part, Text(part, part))
        about = v.answers.labels.get(of) or v.asked.labels.get(of) or Text(of, of)
        said = Text(f"{name.en} ({about.en})", f"{name.zh}（{about.zh}）") if of else name
        for p in why:
            place = f"{p.where}: " if p.where.startswith(("item", "column")) else ""
            en, zh = f"{place}{p.what.en} {p.remedy.en}".rstrip(), f"{place}{p.what.zh}{p.remedy.zh}"
            parts.setdefault((p.code, Text(en, zh)), []).append(said)
    return tuple(
        Note(code, Text(f"{', '.join(t.en for t in of)}: {why.en}", f"{'、'.join(t.zh for t in of)}：{why.zh}"))
        for (code, why), of in parts.items()
    )
