"""One computed sentence per step of the invariance ladder, in both languages, and the customary limits it names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from csi.display import significant, width
from csi.errors import Text
from csi.measures.ladder import TITLES, Step

Verdict = Literal["baseline", "not rejected", "partial", "rejected", "void", "equivalent", "unsettled", "not tested"]
"""`void`: fitted on top of a rejected step, so that its difference test says nothing. `unsettled`: no solution."""

_WIDE = "\u3000-\u303f\u4e00-\u9fff\uff00-\uffef"
_STOPS = "，。；：、！？）”"
_BREAKS = re.compile(f"[（“]*[^\\s{_WIDE}]+[{_STOPS}]*\\s*|[（“]*[{_WIDE}][{_STOPS}]*\\s*|\\s+")
"""What stays on one line: a word, or one Chinese character, with the punctuation behind it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Customary limits of a change: cfi (a fall beyond it), rmsea and srmr (a rise beyond it)."""

    cfi: float
    rmsea: float
    srmr: float


def limits(step: Step, n: float) -> Limits:
    """Customary limits of the changes of CFI, RMSEA and SRMR at a step.

    They come from simulations and have no nominal error rate: read them beside the test, not instead of it.

    Parameters:
        n: rows of all groups.

    Source:
        Cheung & Rensvold (2002), Structural Equation Modeling 9(2):233-255 (CFI -.01); Chen (2007), Structural Equation
        Modeling 14(3):464-504 (n <= 300: -.005, .010, .025 for loadings and .005 for others; else -.010, .015, .030
        and .010).

    Example:
        >>> limits("metric", 301)
        Limits(cfi=-0.01, rmsea=0.015, srmr=0.03)
    """
    loadings = step == "metric"
    if n <= 300:
        return Limits(-0.005, 0.010, 0.025 if loadings else 0.005)
    return Limits(-0.010, 0.015, 0.030 if loadings else 0.010)


_THEN: dict[Step, Text] = {
    "thresholds": Text(
        "As far as these data can tell, answers cut the same latent responses in every group.",
        "就这些数据而言，各组以相同的阈值划分潜在反应。",
    ),
    "metric": Text(
        "As far as these data can tell, relations among constructs may be compared over groups.",
        "就这些数据而言，各组间可以比较构念之间的关系。",
    ),
    "scalar": Text(
        "As far as these data can tell, latent means may be compared over groups.",
        "就这些数据而言，各组间可以比较潜变量均值。",
    ),
    "strict": Text(
        "As far as these data can tell, sums and indices of items may be compared over groups, their variances too.",
        "就这些数据而言，各组间可以比较题项合成分与指数，包括其方差。",
    ),
    "means": Text("No difference of latent means was found.", "未发现潜变量均值存在差异。"),
}
_ELSE: dict[Step, Text] = {
    "thresholds": Text("Categories do not mean the same in every group.", "各组对选项的理解不同。"),
    "metric": Text("Relations among constructs are not comparable over groups.", "各组间构念之间的关系不可比。"),
    "scalar": Text("Latent means are not comparable over groups.", "各组间潜变量均值不可比。"),
    "strict": Text(
        "Latent means stay comparable where the scalar step is not rejected; variances of item sums are not.",
        "若标量等值未被拒绝，潜变量均值仍可比，但题项合成分的方差不可比。",
    ),
    "means": Text("Latent means differ.", "潜变量均值存在差异。"),
}
_PARTLY: dict[Step, Text] = {
    "thresholds": Text("Comparisons rest on the other thresholds.", "比较以其余阈值为依据。"),
    "metric": Text("Comparisons of relations rest on the other items.", "关系的比较以其余题项为依据。"),
    "scalar": Text(
        "As far as these data can tell, latent means may be compared on the strength of the other items; sums of items"
        " are not comparable.",
        "就这些数据而言，可依据其余题项比较潜变量均值，但题项合成分不可比。",
    ),
    "strict": Text("No difference of the other residual variances was found.", "未发现其余残差方差存在差异。"),
}


_VOID = Text(
    "A step it rests on is rejected, so this one says nothing about the groups.",
    "其所依赖的前一步被拒绝，本步结果不能用于比较各组。",
)
_BLANK: dict[Verdict, Text] = {
    "not tested": Text(
        "not tested, because a step it rests on does not stand.", "未检验，因为其所依赖的前一步不成立。"
    ),
    "unsettled": Text("its model has no solution, so it is not tested.", "该步模型无解，未能检验。"),
    "equivalent": Text(
        "nothing is restricted beyond the step before, so there is nothing to test.",
        "相对前一步没有增加约束，无可检验。",
    ),
}


def sentence(
    step: Step,
    verdict: Verdict,
    numbers: Mapping[str, float],
    released: tuple[str, ...] = (),
    *,
    whole: bool = True,
    room: Text | None = None,
) -> Text:
    """What a step found.

    Parameters:
        numbers: chi2, df, p_value, cfi, rmsea, delta_chi2, delta_df, delta_p, delta_cfi, delta_rmsea, n, alpha,
            n_least (rows of the smallest group).
        released: parameters released in this step. whole: whether no parameter below may differ. room: how large a
            difference a step that is not rejected may hide.

    Example:
        >>> print(sentence("metric", "equivalent", {}).en)
        Metric (equal loadings): nothing is restricted beyond the step before, so there is nothing to test.
    """
    title = TITLES[step]
    if verdict in _BLANK:
        return Text(f"{title.en}: {_BLANK[verdict].en}", f"{title.zh}：{_BLANK[verdict].zh}")
    if verdict == "baseline":
        return _baseline(title, numbers)
    test, names = _test(numbers), ", ".join(released)
    word = {
        "not rejected": Text(" is not rejected", "未被拒绝"),
        "rejected": Text(" is rejected", "被拒绝"),
        "partial": Text(f" is not rejected with {names} free", f"在放开 {names.replace(', ', '、')} 后未被拒绝"),
        "void": Text("", ""),
    }[verdict]
    parts = [_custom(step, verdict, numbers), room or Text("", ""), _after(step, verdict, whole=whole)]
    return Text(
        " ".join([f"{title.en}{word.en}: {test.en}.", *(t.en for t in parts if t.en)]),
        "".join([f"{title.zh}{word.zh}：{test.zh}。", *(t.zh for t in parts)]),
    )


def _after(step: Step, verdict: Verdict, *, whole: bool) -> Text:
    """What follows from a step."""
    if verdict == "void":
        return _VOID
    if verdict == "rejected":
        return _ELSE[step]
    return _PARTLY[step] if step in _PARTLY and not (whole and verdict == "not rejected") else _THEN[step]


def _baseline(title: Text, numbers: Mapping[str, float]) -> Text:
    """The configural step; difference tests on a model that is rejected itself can mislead.

    Source: Yuan & Bentler (2004), Educational and Psychological Measurement 64(5):737-757.
    """
    chi2, df = fixed(numbers["chi2"], 2), significant(numbers["df"])
    p, cfi, rmsea = probability(numbers["p_value"]), fixed(numbers["cfi"]), fixed(numbers["rmsea"])
    if numbers["df"] == 0:
        return Text(
            f"{title.en}: it has no degrees of freedom, so it fits by construction.",
            f"{title.zh}：没有自由度，必然完全拟合。",
        )
    en, zh = "it is not rejected", "未被拒绝"
    if numbers["p_value"] < numbers["alpha"]:
        en = "it is rejected itself, so that difference tests on it may mislead (Yuan & Bentler 2004)"
        zh = "该模型本身被拒绝，以其为基准的差异检验可能有偏（Yuan 与 Bentler，2004）"
    return Text(
        f"{title.en}: chi-square {chi2} (df {df}, {p}), CFI {cfi}, RMSEA {rmsea}; {en}.",
        f"{title.zh}：卡方 {chi2}（df = {df}，{p}），CFI 为 {cfi}，RMSEA 为 {rmsea}；{zh}。",
    )


def _test(numbers: Mapping[str, float]) -> Text:
    """The difference test."""
    d, df = fixed(numbers["delta_chi2"], 2), significant(numbers["delta_df"])
    p = probability(numbers["delta_p"])
    return Text(f"chi-square rises by {d} (df {df}, {p})", f"卡方增加 {d}（df = {df}，{p}）")


def _custom(step: Step, verdict: Verdict, numbers: Mapping[str, float]) -> Text:
    """The changes of CFI and RMSEA beside the customary limits, and whether they and the test disagree."""
    cfi, rmsea = numbers["delta_cfi"], numbers["delta_rmsea"]
    if step == "means" or not (math.isfinite(cfi) and math.isfinite(rmsea)):
        return Text("", "")
    limit = limits(step, numbers["n"])
    beyond = [w for w, out in (("CFI", cfi < limit.cfi), ("RMSEA", rmsea > limit.rmsea)) if out]
    en = f"beyond the customary limit for {' and '.join(beyond)}" if beyond else "within the customary limits"
    zh = f"{' 与 '.join(beyond)} 超过惯用界限" if beyond else "均未超过惯用界限"
    at_odds = _at_odds(verdict, numbers, beyond=bool(beyond))
    return Text(
        f"Changes (CFI {signed(cfi)}, RMSEA {signed(rmsea)}) are {en} ({significant(limit.cfi)}, "
        f"{significant(limit.rmsea)}){at_odds.en}.",
        f"变化量（CFI {signed(cfi)}，RMSEA {signed(rmsea)}）{zh}"
        f"（{significant(limit.cfi)}，{significant(limit.rmsea)}）{at_odds.zh}。",
    )


def _at_odds(verdict: Verdict, numbers: Mapping[str, float], *, beyond: bool) -> Text:
    """That the test and the limits disagree; a test that does not reject may lack the rows to."""
    if verdict == "void" or beyond == (verdict == "rejected"):
        return Text("", "")
    if not beyond:
        return Text(": they and the test disagree", "，与检验不一致")
    least = f"{numbers['n_least']:.0f}"
    return Text(
        f": they and the test disagree, and with {least} rows in the smallest group a difference may go unseen",
        f"，与检验不一致；最小组仅 {least} 行，差异可能未被发现",
    )


def signed(value: float, decimals: int = 3) -> str:
    """A change with its sign; 0 has none.

    Example:
        >>> signed(0.0123), signed(-4e-05)
        ('+0.012', '0.000')
    """
    said = fixed(value, decimals)
    return f"+{said}" if value > 0 and float(said) > 0 else said


def fixed(value: float, decimals: int = 3) -> str:
    """A number with so many decimals, "-" where it is absent; 0 never has a sign.

    Example:
        >>> fixed(-5.2e-05), fixed(0.93056), fixed(85.3055, 2), fixed(float("nan"))
        ('0.000', '0.931', '85.31', '-')
    """
    return "-" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"


def wrapped(said: str, columns: int = 100) -> str:
    """A sentence in lines of at most so many columns, broken at blanks, and anywhere within Chinese text.

    Example:
        >>> wrapped("one two three", 8).splitlines()
        ['one two', 'three']
    """
    lines: list[str] = []
    line = ""
    for part in _BREAKS.findall(said):
        if line and width(line + part.rstrip()) > columns:
            lines, line = [*lines, line.rstrip()], ""
        line += part
    return "\n".join([*lines, line.rstrip()])


def probability(p: float) -> str:
    """`p = .224`, `p < .001`.

    Example:
        >>> probability(0.2243), probability(4e-7)
        ('p = .224', 'p < .001')
    """
    if not math.isfinite(p):
        return "p = -"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)
