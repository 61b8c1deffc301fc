"""The tone of comments as an item of a construct, with the error that its reliability leaves it.

    construct =~ txt,   var(error of txt) = (1 - rho) var(txt),  fixed

Source:
    Joereskog & Soerbom (1982), Journal of Marketing Research 19, 404-416 (an item with a known reliability).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from csi.behaviour.comments import Comments
from csi.display import Shown, fixed, text
from csi.errors import Note, Problem, Problems, Text, did_you_mean, note, problem
from csi.estimate.fit import fit
from csi.estimate.given import check_kind, check_panel
from csi.estimate.protocol import Estimator
from csi.measures.shown import based, told
from csi.survey.codebook import Item, Scale
from csi.survey.panel import Panel

HEADINGS = {
    "which": Text("reliability", "信度取值"),
    "rho": Text("rho", "rho"),
    "error": Text("error variance", "误差方差"),
    "line": Text("model line", "模型语句"),
}


@dataclass(frozen=True, slots=True, repr=False)
class TextIndicator(Shown):
    """Answers with the tone of each writer's comments as an item.

    Attributes:
        panel: the answers with the item (form T, 0 to 1; null where nobody wrote). item, construct: names.
        table: which ("low", "stated", "high"), rho, error ((1 - rho) var), line (to add to a model).
        sentences, notes.
    """

    panel: Panel
    item: str
    construct: str
    table: pl.DataFrame
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()

    def lines(self, which: str = "stated") -> str:
        """Two lines to add to a model: the loading and the fixed error."""
        error = self.table.row(by_predicate=pl.col("which") == which, named=True)["line"]
        return f"{self.construct} =~ {self.item}\n{error}"

    def sensitivity(self, model: str, estimator: Estimator) -> pl.DataFrame:
        """The model fitted at every reliability of the table.

        Parameters:
            model: lavaan text without the item. estimator: such as csi.SEM(missing="fiml"), which keeps those who
                do not write.

        Returns:
            which, rho, and the parameters: lhs, op, rhs, estimate, std_error.
        """
        parts = []
        for which, rho in self.table.select("which", "rho").unique(maintain_order=True).rows():
            est = fit(f"{model}\n{self.lines(which)}", self.panel, estimator)
            rows = est.table.select("lhs", "op", "rhs", "estimate", "std_error")
            parts.append(rows.select(pl.lit(which).alias("which"), pl.lit(rho).alias("rho"), pl.all()))
        return pl.concat(parts)


@text.register
def _(value: TextIndicator, lang: str = "en") -> str:
    """Sentences, the lines, notes."""
    lines = [*(s.say(lang) for s in value.sentences), "", based(value.table, HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def text_indicator(
    found: Comments,
    panel: Panel,
    construct: str,
    *,
    reliability: float | tuple[float, float, float] | None = None,
    item: str = "txt",
) -> TextIndicator:
    """The mean tone of a respondent's comments as an item of a construct, its error fixed by its reliability.

    Parameters:
        found: `csi.comments` of these answers. panel: the answers. construct: whose item it becomes.
        reliability: stated (with its bounds); None takes that of the human codes. item: its name.

    Returns:
        A `TextIndicator`.

    Raises:
        Problems: E-TEXT without a reliability (fewer than 50 comments with human codes and none stated), one outside
            (0, 1], or tones all alike; E-ROLE for no such construct, E-SETTING for a name that is taken.

    Example:
        >>> from csi.behaviour.comments import comments
        >>> from csi.survey.codebook import Codebook
        >>> book = Codebook((Item("s1", "sat", Scale("ten", 1, 10), Text("Satisfied", "满意")),), {}, {})
        >>> frame = pl.DataFrame({"respondent": ["a", "b", "c"], "s1": [9.0, 2.0, 7.0]})
        >>> panel = Panel(frame, book, pl.DataFrame({"s1": [None] * 3}, schema={"s1": pl.String}))
        >>> found = comments(pl.DataFrame({"id": ["a", "b"], "text": ["很满意", "太慢"]}), panel)
        >>> text_indicator(found, panel, "sat", reliability=0.6).lines().splitlines()
        ['sat =~ txt', 'txt ~~ 0.06282527881*txt']
    """
    give = Text("Give what csi.comments returns.", "请给出 csi.comments 的结果。")
    check_kind("found", found, Comments, Text("comments that were read", "已读取的评论"), give)
    check_panel(panel)
    stated, problems = _stated(found, reliability)
    book = panel.codebook
    if construct not in {i.construct for i in book.items}:
        hint = did_you_mean(construct, [*book.constructs])
        what = Text(f'the codebook has no construct "{construct}".', f"编码簿中没有构念“{construct}”。")
        problems.append(Problem("E-ROLE", "text_indicator", what, hint))
    if item in panel.frame.columns:
        en, zh = f'the answers have a column "{item}" already.', f"数据中已有“{item}”列。"
        problems.append(problem("E-SETTING", "item", en, zh, "Choose another name.", "请另取名称。"))
    on = [k for k in ("wave", "brand") if k in found.rows.columns and k in panel.frame.columns
          and found.rows[k].null_count() == 0]  # fmt: skip
    tones = found.rows.drop_nulls("tone").group_by("id", *on).agg(pl.col("tone").sort().mean().alias(item))
    frame = panel.frame.join(tones.rename({"id": "respondent"}), on=["respondent", *on], how="left",
                             maintain_order="left")  # fmt: skip
    wrote = frame[item].drop_nulls() if item not in panel.frame.columns else pl.Series([0.0, 1.0])
    variance = wrote.var(ddof=0) if len(wrote) > 1 else None
    if not isinstance(variance, float) or variance <= 0:
        en, zh = "tones are all alike, or nobody who answered wrote.", "得分全部相同，或受访者均未写评论。"
        do, do_zh = "Use it as a theme, not as an item.", "请作为主题使用，不作为题项。"
        problems.append(problem("E-TEXT", "text_indicator", en, zh, do, do_zh))
        variance = 1.0
    if problems:
        raise Problems(problems)
    rows = [
        (which, rho, (1 - rho) * variance, f"{item} ~~ {(1 - rho) * variance:.10g}*{item}")
        for which, rho in zip(("low", "stated", "high"), (stated[1], stated[0], stated[2]), strict=True)
    ]
    asked = Item(item, construct, Scale("text", 0, 1), Text("Tone of comments", "评论情感得分"), form="T")
    written = panel.reasons.with_columns(
        pl.when(frame[item].is_null()).then(pl.lit("not_asked")).otherwise(pl.lit(None, pl.String)).alias(item)
    )
    grown = replace(panel, frame=frame, codebook=replace(book, items=(*book.items, asked)), reasons=written)
    value, share = fixed(stated[0]), fixed(100 * len(wrote) / frame.height, 0)
    en = f"The tone of comments enters {construct} with reliability {value}: {len(wrote)} of {frame.height} rows"
    zh = f"评论情感得分以信度 {value} 进入{book.label(construct, 'zh')}：{frame.height} 行中 {len(wrote)} 行有评论"
    say = Text(f"{en} ({share}%) have one.", f"{zh}（{share}%）。")
    return TextIndicator(grown, item, construct, pl.DataFrame(rows, schema=[*HEADINGS], orient="row"), (say,), (_OF,))


_OF = note(
    "N-TEXT-ITEM",
    "the reliability is that of one comment; those who do not write are missing, which FIML treats as at random given "
    "the other items: read the table of writers and others.",
    "该信度针对单条评论；未写评论者视为缺失，FIML 假定在其他题项给定时随机缺失：请参看写评论者与其他人的对照表。",
)


def _stated(
    found: Comments, given: float | tuple[float, float, float] | None
) -> tuple[tuple[float, float, float], list[Problem]]:
    """The reliability with its bounds."""
    if given is not None:
        stated = given if isinstance(given, tuple) else (given, given, given)
        if all(0 < v <= 1 for v in stated):
            return stated, []
        en, zh = f"reliability {given} is not between 0 and 1.", f"信度 {given} 不在 0 与 1 之间。"
        return (1.0, 1.0, 1.0), [problem("E-TEXT", "reliability", en, zh, "Write 0.7.", "请写 0.7。")]
    trusted = found.reliability
    if trusted is not None and trusted.rho is not None:
        value, low, high = trusted.rho
        return (value, value if low is None else low, value if high is None else high), []
    n = 0 if trusted is None else trusted.n
    en = f"as an item the tone needs a stated reliability: {n} comments have human codes, 50 are needed."
    zh = f"作为题项须有明确的信度：有人工编码的评论为 {n} 条，至少需要 50 条。"
    do = "Have 50 or more coded (human_score, coder), or state reliability=."
    do_zh = "请对不少于 50 条评论作人工编码（human_score、coder），或写明 reliability=。"
    return (1.0, 1.0, 1.0), [problem("E-TEXT", "text_indicator", en, zh, do, do_zh)]
