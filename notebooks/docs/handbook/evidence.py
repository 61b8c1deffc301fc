"""Coverage, speed and parity: the committed tables, as pages."""

from __future__ import annotations

import re
from pathlib import Path

from csi.errors import Language
from handbook.coverage_zh import in_chinese
from handbook.page import LANGUAGES, Page, both
from handbook.parity import parity
from handbook.prose import ROOT
from handbook.speed import ratios

SLOW = ROOT / "tests" / "slow"
BENCH = ROOT / "tests" / "bench"
TESTED = "tests/slow"
STUDIES_ZH = "!!! note\n    本页由 `tests/slow` 中的表格生成，正文为英文；下表说明用词。\n\n"
LEAD_ZH = """# 区间的覆盖率与检验的水平

每一行是一种区间或 p 值、衡量它的模拟研究、模拟的样本数、所得结果、事先设定的界限
以及结论。名义覆盖率为 95%；真值是同一估计量在总体矩上的取值。
“标准误比”是平均标准误与估计量真实标准差之比；“拒绝率”是原假设为真时的拒绝比例；
“只列出”的量有界、有偏或为乘积，不设界限；“超出”的原因写在该研究页面的末尾。`make check-slow` 重新生成全部表格。

"""
KEYS_ZH = "!!! note\n    各键的说明为英文；中文示例见[如何写研究文件](howto/study-file.md)。\n\n"
SPEED = {
    "en": "# Speed\n\nMeasured by the programs of `tests/bench` (`make bench`). Each table says on what and when. "
    "Ratios carry over to other machines; seconds do not.\n\n",
    "zh": "# 速度\n\n由 `tests/bench` 中的程序测得（`make bench` 可重新测量）。每张表写明机器类型与日期；"
    "比值可推及其他机器，秒数则不能。"
    "表格说明为英文。\n\n",
}


def evidence() -> list[Page]:
    """All pages of evidence."""
    return [_overview(), *_studies(), _speed(), parity(), _changes(), _study_keys()]


def linked(text: str) -> str:
    """Links to pages of studies kept; links to tables, programs and other places set as code."""
    pages = {p.name for p in SLOW.glob("*.md")}

    def one(match: re.Match[str]) -> str:
        label, target = match[1], match[2]
        if target.startswith(("http", "#")) or target in pages:
            return match[0] if target != "README.md" else f"[{label}](intervals.md)"
        return f"`{label.strip('`')}`"

    return re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", one, text)


def _overview() -> Page:
    """The table of all intervals and p-values."""
    text = linked((SLOW / "README.md").read_text(encoding="utf-8"))
    zh = LEAD_ZH + in_chinese(text)
    return Page("evidence/intervals.md", both(text, zh), boost=0.3, wide=True)


def _studies() -> list[Page]:
    """The pages of single studies."""
    found = []
    for path in sorted(SLOW.glob("*.md")):
        if path.name != "README.md":
            text = linked(path.read_text(encoding="utf-8"))
            title, _, rest = text.partition("\n")
            found.append(Page(f"evidence/{path.name}", both(text, f"{title}\n\n{STUDIES_ZH}{rest}"), boost=0.3))
    return found


def _speed() -> Page:
    """What the bench measured; the comparison with other programs first."""
    files = sorted(BENCH.glob("*.md"), key=lambda p: (p.name != "speed.md", p.name))
    body = "\n\n".join(re.sub(r"^#", "##", linked(_read(p)), flags=re.MULTILINE) for p in files)
    measured = _read(BENCH / "speed.md")
    return Page("evidence/speed.md", {lang: f"{SPEED[lang]}{ratios(measured, lang)}\n\n{body}" for lang in LANGUAGES})


def _changes() -> Page:
    """CHANGELOG."""
    text = linked(_read(ROOT / "CHANGELOG.md"))
    head = {"en": "", "zh": "!!! note\n    更新记录为英文。\n\n"}
    return Page("changes.md", {lang: _after_title(text, head[lang]) for lang in LANGUAGES}, boost=0.3)


def _study_keys() -> Page:
    """The keys of a study file, from the page beside the schema."""
    text = linked(_read(ROOT / "csi" / "study" / "README.md"))
    head: dict[Language, str] = {
        "en": "",
        "zh": KEYS_ZH,
    }
    return Page("study-file.md", {lang: _after_title(text, head[lang]) for lang in LANGUAGES})


def _after_title(text: str, words: str) -> str:
    """Words below the title of a page."""
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{words}{rest}"


def _read(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")
