"""How penalty-reward contrasts read: names, sentences, notes, lines at the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Text, note
from csi.measures.shown import based, told
from csi.survey.bases import COLUMNS, told_cells
from csi.survey.keyed import cell_name, of_cell

KINDS: Final = {
    "dissatisfier": Text("dissatisfier", "不满因素"),
    "hybrid": Text("hybrid", "混合因素"),
    "satisfier": Text("satisfier", "满意因素"),
    "unclassified": Text("not classified", "不归类"),
}
HEADINGS: Final = {
    "name": Text("name", "名称"),
    "n": Text("n", "样本量"),
    "n_low": Text("n low", "低分人数"),
    "n_high": Text("n high", "高分人数"),
    "low": Text("low at most", "低分上限"),
    "high": Text("high at least", "高分下限"),
    "penalty": Text("penalty", "惩罚"),
    "penalty_low": Text("low", "下限"),
    "penalty_high": Text("high", "上限"),
    "penalty_p": Text("p", "p 值"),
    "reward": Text("reward", "奖励"),
    "reward_low": Text("low ", "下限 "),
    "reward_high": Text("high ", "上限 "),
    "reward_p": Text("p ", "p 值 "),
    "p_symmetric": Text("p: alike", "p：两侧相等"),
    "riocs": Text("RIOCS", "RIOCS"),
    "sgp": Text("SGP", "SGP"),
    "dgp": Text("DGP", "DGP"),
    "ia": Text("IA", "IA"),
    "ia_low": Text("low  ", "下限  "),
    "ia_high": Text("high  ", "上限  "),
    "kind": Text("class", "类别"),
    "support": Text("support", "支持度"),
    "p_dissatisfier": Text("P(dissatisfier)", "P（不满因素）"),
    "p_hybrid": Text("P(hybrid)", "P（混合因素）"),
    "p_satisfier": Text("P(satisfier)", "P（满意因素）"),
    "p_unclassified": Text("P(not classified)", "P（不归类）"),
    "r2": Text("R2", "R²"),
    "resamples": Text("resamples", "有效重抽样"),
}
SAYS: Final = {
    "dissatisfier": Text("Low scores cost {of} more than high ones add", "对{of}，低分的损失大于高分的收益"),
    "satisfier": Text("High scores add more to {of} than low ones cost", "对{of}，高分的收益大于低分的损失"),
    "hybrid": Text("Low and high scores count about alike for {of}", "对{of}，低分与高分的影响大致相当"),
    "unclassified": Text("Not classified, as a contrast has the wrong sign", "对比方向不符，不归类"),
}
"""What the classes mean, in the order in which they are told."""

DECIDED: Final = 0.5
"""Support from which a name is told with its class."""
ALPHA: Final = 0.05
"""Level at which the two sides differ, before one is said to count more."""


def sentences_of(
    found: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str], outcome: Text
) -> tuple[Text, ...]:
    """Per cell: the names of each class, with IA and bootstrap support; a side counts more where the two differ."""
    out: list[Text] = []
    one_side = pl.col("kind").is_in(["dissatisfier", "satisfier"])
    told_ = (pl.col("support").fill_null(1.0) >= DECIDED) & (~one_side | (pl.col("p_symmetric") < ALPHA))
    told_ = told_.fill_null(value=False)
    low = Text(outcome.en[:1].lower() + outcome.en[1:], outcome.zh)
    for cell, part in told_cells(found, keys):
        said = []
        for kind, words in SAYS.items():
            rows = part.filter((pl.col("kind") == kind) & told_).sort("ia")
            if rows.height:
                en, zh = _listed(rows, labels)
                said.append(Text(f"{words.en.format(of=low.en)}: {en}.", f"{words.zh.format(of=low.zh)}：{zh}。"))
        rest = part.filter(~told_ & pl.col("kind").is_not_null()).sort("ia")
        if rest.height:
            en, zh = _listed(rest, labels)
            en = f"Which side counts more for {low.en} is not shown: {en}."
            said.append(Text(en, f"对{low.zh}，低分与高分孰重尚不能判断：{zh}。"))
        out += of_cell(cell, said or [Text("No contrasts can be given.", "无法给出对比。")])
    return tuple(out)


def _listed(rows: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[str, str]:
    """Names with IA and support, in both languages."""
    every = rows.to_dicts()
    return "; ".join(_named(r, labels, "en") for r in every), "；".join(_named(r, labels, "zh") for r in every)


def _named(row: Mapping[str, object], labels: Mapping[str, Text], lang: str) -> str:
    """A name with IA and the support of its class."""
    name, ia, support = labels[str(row["name"])].say(lang), row["ia"], row["support"]
    parts = [f"IA {fixed(float(str(ia)))}"] if ia is not None else []
    if support is not None:
        share = f"{100 * float(str(support)):.0f}%"
        kind = KINDS[str(row["kind"])].say(lang)
        parts.append(f"{kind} in {share} of resamples" if lang == "en" else f"{share} 的重抽样为{kind}")
    inside = ", ".join(parts) if lang == "en" else "，".join(parts)
    if not inside:
        return name
    return f"{name} ({inside})" if lang == "en" else f"{name}（{inside}）"


def notes_of(
    found: pl.DataFrame,
    labels: Mapping[str, Text],
    keys: Sequence[str],
    rule: tuple[float, float],
    limit: float,
    *,
    fixed: bool,
) -> tuple[Note, ...]:
    """The rule behind the marks, wrong signs, names that could not be split."""
    a, b = rule
    if fixed:
        where, where_zh = (
            f"scores up to {a:g} are low, from {b:g} high (0-100)",
            f"不高于 {a:g} 分为低、不低于 {b:g} 分为高（0–100）",
        )
    else:
        where = f"scores up to the {100 * a:g} % point are low, from the {100 * b:g} % point high"
        where_zh = f"不高于 {100 * a:g}% 分位为低、不低于 {100 * b:g}% 分位为高"
    en = (
        f"{where}; |IA| above {limit:g} is no hybrid. Contrasts and classes move with this rule; they are associations."
    )
    zh = f"{where_zh}；|IA| 高于 {limit:g} 者不算混合因素。对比与类别随规则而变，且仅为相关关系。"
    notes = [note("N-PENALTY", en, zh)]
    wrong = found.filter(kind="unclassified")["name"].unique(maintain_order=True).to_list()
    if wrong:
        names, names_zh = ", ".join(labels[w].en for w in wrong), "、".join(labels[w].zh for w in wrong)
        en = f"low scores go with more, or high ones with less: {names} is not classified; look at collinearity."
        notes.append(note("W-PENALTY", en, f"低分对应更高或高分对应更低：{names_zh} 不归类；请检查共线性。"))
    rest = found.filter(pl.col("reason").is_not_null() & pl.col("flag").ne_missing("suppressed"))
    for (en, zh), part in rest.group_by("reason", "reason_zh", maintain_order=True):
        told_of = [*of_rows(part, labels, keys)]
        listed, listed_zh = "; ".join(t.en for t in told_of), "；".join(t.zh for t in told_of)
        notes.append(Note("W-CELLS", Text(f"{listed}: {en}", f"{listed_zh}：{zh}")))
    return tuple(notes)


def of_rows(part: pl.DataFrame, labels: Mapping[str, Text], keys: Sequence[str]) -> Iterator[Text]:
    """The names of a frame's rows, cell by cell.

    Example:
        >>> part = pl.DataFrame({"brand": ["A", "A"], "name": ["x", "y"]})
        >>> [t.zh for t in of_rows(part, {"x": Text("X", "甲"), "y": Text("Y", "乙")}, ["brand"])]
        ['A 甲、乙']
    """
    for own in part.partition_by(list(keys), maintain_order=True) if keys else [part]:
        cell = cell_name({k: own[k][0] for k in keys})
        en, zh = (", ".join(labels[n].en for n in own["name"]), "、".join(labels[n].zh for n in own["name"]))
        yield Text(f"{cell.en} {en}".strip(), f"{cell.zh} {zh}".strip())


def lines_of(
    found: pl.DataFrame,
    fits: pl.DataFrame,
    sentences: Sequence[Text],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, contrasts, potentials, fit, notes."""
    words = {k: t.say(lang) for k, t in {**labels, **KINDS}.items()}
    shown = found.with_columns(pl.col("name", "kind").replace(words))
    keys = found.columns[: found.columns.index("name")]
    first = ["n", "n_low", "n_high", "low", "high", *(f"{s}{e}" for s in ("penalty", "reward") for e in _ENDS)]
    last = ["p_symmetric", "riocs", "sgp", "dgp", "ia", "ia_low", "ia_high", "kind", "support"]
    lines = [*(s.say(lang) for s in sentences)]
    for columns in ([*first, *COLUMNS], last):
        lines += ["", based(shown.select(*keys, "name", *columns), HEADINGS, lang)]
    return "\n".join([*lines, "", based(fits, HEADINGS, lang), "", *told((), notes, lang)])


_ENDS = ("", "_low", "_high", "_p")
