"""What a quarterly report has as a rule and this one has not, with the reason of each in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Note, Text, note
from csi.reporting.analysis import Analysis
from csi.reporting.headings import HEADINGS
from csi.reporting.methods.library import method_of, options_of
from csi.reporting.sections import KINDS, MODELS, NEED_A_MODEL

REASONS = {
    "trend": Text("there is one wave only", "只有一个期次"),
    "league": Text("there is one brand only", "只有一个品牌"),
    "comparability": Text(
        "there is nothing to compare, or the study does not ask for it", "没有可比较的对象，或研究文件未要求"
    ),
    "stages": Text(
        "there are neither brands nor stages or segments to set side by side", "没有可并列的品牌、阶段或客群"
    ),
    "segments": Text("no key of the study names stages or segments", "研究文件的 keys 未指明阶段或客群"),
    "behaviour": Text("the model leads from the target to nothing else", "模型中目标构念不指向其他构念"),
    "priorities": Text("nothing in the model leads to the target", "模型中没有指向目标构念的路径"),
}
"""Why a section is absent where the study does not switch it off."""
NO_MODEL = Text("the answers of the focal brand carry no model", "焦点品牌的答卷不足以支撑模型")
OFF = Text("switched off in the study file", "研究文件中已关闭")


def untold(a: Analysis, keys: Sequence[str]) -> tuple[Note, ...]:
    """A note for every part that is not among the sections `keys`."""
    missing = [k for k in (*KINDS["quarterly"], *MODELS) if k not in keys]
    return tuple(_note(_name(a, k), _why(a, k)) for k in missing)


def _note(name: Text, why: Text) -> Note:
    return note("N-UNTOLD", f"Not told: {name.en} ({why.en}).", f"未给出：{name.zh}（{why.zh}）。")


def _name(a: Analysis, key: str) -> Text:
    return method_of(key, a.study).title if key in MODELS else HEADINGS[key]


def _why(a: Analysis, key: str) -> Text:
    """Switched off, what the study lacks, or that there is no model."""
    if key in MODELS:
        lacking = method_of(key, a.study).lacks(a.study, options_of(a.study, key))
        if not lacking:
            return OFF
        return Text(f"it needs {lacking[0].what.en}", f"需要{lacking[0].what.zh}")
    if not a.study.settings.telling.sections.get(key, True):
        return OFF
    return NO_MODEL if a.cell is None and key in NEED_A_MODEL else REASONS.get(key, NO_MODEL)
