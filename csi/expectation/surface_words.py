"""How a response surface reads: reasons, notes, sentences, lines at the prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from csi.display import fixed
from csi.errors import Note, Reason, Text, note, reason
from csi.expectation.gap_words import RECALL, tested
from csi.measures.shown import based, told
from csi.survey.bases import told_cells
from csi.survey.keyed import of_cell

FEW: Final = 60
"""Rows below which a surface of six coefficients is doubtful."""

THIN: Final = 20.0
"""Degrees of freedom of a test of a claim below which it is said to rest on few rows or clusters."""

FLAT: Final = reason(
    "flat_surface",
    "the interval of the curvature 4 b3 b5 - b4^2, or of b4, holds 0: these answers do not determine the point.",
    "曲率 4·b3·b5 − b4² 或 b4 的区间包含 0，现有回答不能确定该点。",
)
OUTSIDE: Final = reason(
    "outside_answers",
    "the point lies outside the answers.",
    "该点位于回答范围之外。",
)
HEADINGS: Final = {
    "quantity": Text("quantity", "统计量"),
    "term": Text("term", "项"),
    "claim": Text("claim", "命题"),
    "effect": Text("average slope", "平均斜率"),
    "n": Text("n", "样本量"),
    "estimate": Text("estimate", "估计值"),
    "std_error": Text("SE", "标准误"),
    "p_value": Text("p", "p 值"),
    "conf_low": Text("low", "下限"),
    "conf_high": Text("high", "上限"),
    "reason": Text("reason", "原因"),
    "r2": Text("R2", "R²"),
    "r2_adjusted": Text("adjusted R2", "调整后 R²"),
    "restrictions": Text("restrictions", "约束数"),
    "f": Text("F (robust)", "F（稳健）"),
    "f_classical": Text("F (classical)", "F（经典）"),
    "p_classical": Text("p (classical)", "p（经典）"),
    "n_short": Text("n short", "未达人数"),
    "n_over": Text("n beyond", "超出人数"),
    "b_short": Text("slope, falling short", "未达一侧斜率"),
    "b_over": Text("slope, exceeding", "超出一侧斜率"),
    "b_perceived": Text("slope of the level", "水平斜率"),
    "difference": Text("difference", "斜率之差"),
    "difference_low": Text("low", "下限"),
    "difference_high": Text("high", "上限"),
    "difference_p": Text("p", "p 值"),
}
QUANTITIES: Final = {
    "a1": Text("a1: slope where P = E", "a1：P = E 线上的斜率"),
    "a2": Text("a2: curve where P = E", "a2：P = E 线上的曲率"),
    "a3": Text("a3: slope across, E over P", "a3：P = −E 线上的斜率"),
    "a4": Text("a4: curve across", "a4：P = −E 线上的曲率"),
    "a5": Text("a5: b3 - b5", "a5：b3 − b5"),
    "expected0": Text("stationary point, E from the centre", "驻点（期望，距中心）"),
    "perceived0": Text("stationary point, P from the centre", "驻点（感知，距中心）"),
    "expected_at": Text("stationary point, E as answered", "驻点（期望，按答案量程）"),
    "perceived_at": Text("stationary point, P as answered", "驻点（感知，按答案量程）"),
    "p10": Text("main axis, intercept", "第一主轴截距"),
    "p11": Text("main axis, slope", "第一主轴斜率"),
}
TERMS: Final = {
    "b0": Text("b0: constant", "b0：常数"),
    "b1": Text("b1: E, expectation", "b1：期望 E"),
    "b2": Text("b2: P, performance", "b2：感知 P"),
    "b3": Text("b3: E squared", "b3：E 的平方"),
    "b4": Text("b4: E times P", "b4：E 乘 P"),
    "b5": Text("b5: P squared", "b5：P 的平方"),
}
CLAIMS: Final = {
    "full": Text("full surface", "完整曲面"),
    "additive": Text("additive: no curvature", "可加：无曲率"),
    "difference": Text("plain difference P - E", "简单差值 P − E"),
    "squared_difference": Text("squared difference", "差值的平方"),
    "perceived": Text("performance alone", "仅感知"),
}
EFFECTS: Final = {
    "expectation_to_performance": Text("expectation on performance", "期望对感知"),
    "direct": Text("expectation on the outcome, direct", "期望对结果（直接）"),
    "through_performance": Text("through performance", "经由感知（间接）"),
    "total": Text("in all", "合计"),
}


def notes_of(claims: pl.DataFrame, centre: str, errors: str) -> tuple[Note, ...]:
    """Where it is centred, which errors, few rows, recall."""
    en_at, zh_at = {
        "midpoint": ("the middle of the scale", "量表中点"),
        "pooled": ("the mean of all answers to both forms", "两种形式全部回答的均值"),
    }[centre]
    en_by, zh_by = {
        "robust": ("robust (HC2, or CR2 by clusters and strata)", "稳健（HC2；有整群或分层时用 CR2）"),
        "hc3": (
            "HC3 (CR3) with n - k degrees of freedom as elsewhere: joint tests reject 6.7 %, not 5, in 250 rows",
            "HC3（有整群时用 CR3），自由度 n − k，与其他软件的输出一致；联合检验在 250 行时拒绝 6.7%，偏多",
        ),
        "classical": ("classical (equal variances)", "经典（等方差）"),
    }[errors]
    en = f"E and P are centred at {en_at}; errors are {en_by}; points, axis and average slopes are bootstrapped."
    zh = f"E 与 P 以{zh_at}为中心；标准误为{zh_by}；驻点、主轴与平均斜率由自助法得到。"
    notes = [note("N-SURFACE", en, zh)]
    least = claims["n"].min()
    if isinstance(least, int) and least < FEW:
        en = f"{least} rows are few for a surface of six coefficients (below {FEW}); read the additive claim."
        notes.append(note("W-SURFACE", en, f"样本量 {least} 对六个系数的曲面偏少（低于 {FEW}），请看可加命题。"))
    freedom = claims.select(pl.col("df").min()).item()
    if errors != "hc3" and freedom is not None and freedom < THIN:
        en = f"few rows or clusters bear the squares ({freedom:.1f} degrees of freedom are left): the robust tests of"
        en += " claims allow for it"
        zh = f"承载平方项的行或整群较少（剩余自由度 {freedom:.1f}）：对各主张的稳健检验已作修正，但功效较低"
        notes.append(
            note(
                "W-SURFACE",
                f"{en}, at the cost of power (2.4 to 5.3 % at nominal 5 %, 12 to 100 clusters).",
                f"{zh}（12–100 群，名义 5% 时为 2.4–5.3%）。",
            )
        )
    return (*notes, RECALL)


def sentences_of(
    frames: Mapping[str, pl.DataFrame], keys: Sequence[str], outcome: Text, alpha: float
) -> tuple[Text, ...]:
    """Per cell: whether the difference will do, which form dominates, and the asymmetry.

    Parameters:
        frames: those of a `Surface`. outcome: its label. alpha: what a p-value is held against.
    """
    out: list[Text] = []
    for cell, _ in told_cells(frames["claims"], keys):
        mine = {n: f.filter(**cell) if cell else f for n, f in frames.items()}
        parts = [*_surface(mine, outcome, alpha), *_asymmetry(mine["asymmetry"], alpha)]
        out += of_cell(cell, parts)
    return tuple(out)


def _surface(mine: Mapping[str, pl.DataFrame], outcome: Text, alpha: float) -> list[Text]:
    """What the nested claims and the slopes say."""
    claims = {r["claim"]: r for r in mine["claims"].iter_rows(named=True)}
    b = {r["term"]: r for r in mine["coefficients"].iter_rows(named=True)}
    a = {r["quantity"]: r for r in mine["table"].iter_rows(named=True)}
    if claims["full"]["r2"] is None:
        return [Text("These answers are too few or too alike for a surface.", "回答过少或过于一致，无法拟合曲面。")]
    said = [_difference(claims, a, alpha), _dominance(a, b, outcome, alpha)]
    curved = _below(claims["additive"]["p_value"], alpha)
    r2, flat = (fixed(claims[c]["r2"]) for c in ("full", "additive"))
    if curved:
        en, zh = f"The surface is curved (R2 {r2} against {flat} without).", f"曲面有曲率（R² {r2}，无曲率时 {flat}）。"
    else:
        en = f"No curvature shows (R2 {r2} against {flat}); the additive reading is kept."
        zh = f"未见曲率（R² {r2}，可加模型 {flat}），采用可加解读。"
    return [*said, Text(en, zh)]


def _difference(claims: Mapping[str, Mapping[str, float]], a: Mapping[str, Mapping[str, float]], alpha: float) -> Text:
    """Whether a plain difference is contradicted, and pure disconfirmation with it."""
    row = claims["difference"]
    p = tested(row["p_value"])
    lost = fixed(claims["full"]["r2"] - row["r2"])
    if _below(row["p_value"], alpha):
        en = f"The difference P - E says less than P and E apart (R2 lower by {lost}, {p})."
        return Text(en, f"差值 P − E 的解释力不如 P 与 E 分列（R² 低 {lost}，{p}）。")
    pure = a["a3"]["estimate"] < 0 and _below(a["a3"]["p_value"], alpha)
    pure = pure and not any(_below(a[q]["p_value"], alpha) for q in ("a1", "a2", "a4"))
    en = f"The answers do not contradict a plain difference P - E ({p})"
    zh = f"数据与简单差值 P − E 不矛盾（{p}）"
    if pure:
        return Text(f"{en}: pure disconfirmation would look like this.", f"{zh}，符合纯粹的“期望不一致”模式。")
    return Text(f"{en}.", f"{zh}。")


def _dominance(
    a: Mapping[str, Mapping[str, float]], b: Mapping[str, Mapping[str, float]], outcome: Text, alpha: float
) -> Text:
    """Which of the two the outcome goes with, and with which sign expectation stands beside performance."""
    up = a["a1"]["estimate"] > 0 and _below(a["a1"]["p_value"], alpha)
    across = a["a3"]["estimate"] < 0 and _below(a["a3"]["p_value"], alpha)
    b1, b2 = (b[t]["estimate"] for t in ("b1", "b2"))
    at = f"b1 {fixed(b1)}, b2 {fixed(b2)}"
    if up and across:
        en, zh = f"Performance dominates {_plain(outcome.en)} ({at}).", f"对“{outcome.zh}”而言，感知占主导（{at}）。"
    else:
        en = f"That performance outweighs expectation is not shown ({at})."
        zh = f"未能表明感知的作用大于期望（{at}）。"
    if _below(b["b1"]["p_value"], alpha):
        en += (
            " At equal performance, those who expected more are more satisfied: assimilation."
            if b1 > 0
            else " At equal performance, those who expected more are less satisfied: contrast."
        )
        zh += "同等感知下期望越高越满意（同化）。" if b1 > 0 else "同等感知下期望越高越不满意（对比）。"
    return Text(en, zh)


def _asymmetry(frame: pl.DataFrame, alpha: float) -> list[Text]:
    """Whether falling short counts for more than exceeding."""
    row = frame.row(0, named=True)
    if row["difference"] is None:
        return []
    at = f"{fixed(row['b_short'])}, {fixed(row['b_over'])}"
    p = tested(row["difference_p"])
    if not _below(row["difference_p"], alpha):
        en = f"Falling short and exceeding do not differ in slope ({p})."
        return [Text(en, f"未达与超出两侧的斜率没有显著差异（{p}）。")]
    if row["difference"] > 0:
        en = f"A point short counts for more than a point beyond (slopes {at}, {p})."
        return [Text(en, f"低于期望一分的影响大于高出一分（斜率 {at}，{p}）。")]
    en = f"A point beyond counts for more than a point short (slopes {at}, {p})."
    return [Text(en, f"高出期望一分的影响大于低于一分（斜率 {at}，{p}）。")]


def _below(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha


def _plain(label: str) -> str:
    """A label within a sentence."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def as_answered(table: pl.DataFrame, centre: Iterable[float]) -> pl.DataFrame:
    """The table with the stationary point on the scale of the answers, too: each coordinate plus the point subtracted.

    Parameters:
        table: as in `Surface.table`. centre: of each cell, in the table's order.

    Example:
        >>> point = {"quantity": ["expected0"], "estimate": [0.9], "conf_low": [0.5], "conf_high": [1.2]}
        >>> as_answered(pl.DataFrame(point), [4.0]).rows()
        [('expected0', 0.9, 0.5, 1.2), ('expected_at', 4.9, 4.5, 5.2)]
    """
    keys = table.columns[: table.columns.index("quantity")]
    parts = table.partition_by(keys, maintain_order=True) if keys else [table]
    out = []
    for part, at in zip(parts, centre, strict=True):
        point = part.filter(pl.col("quantity").is_in(["expected0", "perceived0"]))
        moved = point.with_columns(
            pl.col("quantity").str.replace("0", "_at"), *(pl.col(c) + at for c in ("estimate", "conf_low", "conf_high"))
        )
        place = next((i + 1 for i, q in enumerate(part["quantity"]) if q == "perceived0"), part.height)
        out += [part[:place], moved, part[place:]]
    return pl.concat(out)


def in_words(frame: pl.DataFrame, lang: str) -> pl.DataFrame:
    """A frame with its names in words."""
    for column, words in (("quantity", QUANTITIES), ("term", TERMS), ("claim", CLAIMS), ("effect", EFFECTS)):
        if column in frame.columns:
            frame = frame.with_columns(pl.col(column).replace({n: t.say(lang) for n, t in words.items()}))
    return frame


def lines_of(
    frames: Sequence[pl.DataFrame],
    sentences: Sequence[Text],
    reasons: Iterable[Reason],
    notes: Sequence[Note],
    labels: Mapping[str, Text],
    lang: str,
) -> str:
    """Sentences, the frames, reasons, notes."""
    names = {n: t.say(lang) or n for n, t in labels.items()}
    lines = [*(s.say(lang) for s in sentences), ""]
    for frame in frames:
        shown = in_words(frame, lang).drop(_ASIDE, strict=False)
        if "term" in shown.columns:
            shown = shown.with_columns(pl.col("term").replace(names))
        if "reason" in shown.columns and "flag" not in shown.columns and shown["reason"].null_count() == shown.height:
            shown = shown.drop("reason")
        lines += [based(shown, HEADINGS, lang), ""]
    return "\n".join([*lines, *told(reasons, notes, lang)])


_ASIDE = (
    "statistic", "df", "df_classical", "b_short_low", "b_short_high", "b_short_p", "b_over_low", "b_over_high",
    "b_over_p", "b_perceived_low", "b_perceived_high", "b_perceived_p",
)  # fmt: skip
