"""What is said of answers that stand on a former scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from csi.errors import Note, Problem, note, problem

Ends = tuple[float, float]

SHOWN = 6
"""Items that are named."""


def _named(names: Sequence[str]) -> tuple[str, str]:
    """Items in English and Chinese."""
    more = len(names) - SHOWN
    en = ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return en, "、".join(names[:SHOWN]) + (f" 等 {len(names)} 个题项" if more > 0 else "")


def _ends(scale: Ends) -> str:
    return f"{scale[0]:g}–{scale[1]:g}"


def turned_note(wave: str, old: Ends, new: Ends, names: Sequence[str]) -> Note:
    """That answers were turned."""
    en, zh = _named(names)
    return note(
        "N-SCALE-FORMER",
        f"Before {wave} {en} stand on {_ends(old)}, as the break says; turned into the codebook's {_ends(new)}.",
        f"{wave} 期之前 {zh} 按断点所述以 {_ends(old)} 作答；已换算到编码簿的 {_ends(new)}。",
    )


def beyond(place: str, wave: str, scale: Ends, bad: Mapping[str, int]) -> Problem:
    """Answers outside the scale that a break states."""
    en, zh = _named([f"{name} ({n})" for name, n in bad.items()])
    return problem(
        "E-SCALE-WAVE",
        place,
        f"answers before {wave} lie outside the scale {_ends(scale)} that the break states: {en}.",
        f"{wave} 期之前有回答超出断点所述的量表 {_ends(scale)}：{zh}。",
        "Correct `scale`, or name the items whose scale changed (items: [...]) under the break.",
        "请更正断点的 scale，或在断点下写明改变量表的题项（items: [...]）。",
    )


def unclear(place: str, wave: str, old: Ends, new: Ends, names: Sequence[str]) -> Problem:
    """Answers that may stand on either scale."""
    en, zh = _named(names)
    return problem(
        "E-SCALE-WAVE",
        place,
        f"whether the answers before {wave} to {en} stand on {_ends(old)} (the link's old scale) or on the codebook's "
        f"{_ends(new)} cannot be told.",
        f"无法判断 {wave} 期之前 {zh} 的回答是 {_ends(old)}（衔接的旧量表）还是编码簿的 {_ends(new)}。",
        f"Write scale: [{old[0]:g}, {old[1]:g}] under the break (or [{new[0]:g}, {new[1]:g}]), and with "
        "items: [...] of which items.",
        f"请在断点下写 scale: [{old[0]:g}, {old[1]:g}]（或 [{new[0]:g}, {new[1]:g}]），并以 items: [...] 写明题项。",
    )


def changed(place: str, wave: str, scale: Ends, names: Sequence[str], most: float, *, last: bool) -> Problem:
    """A declared change of which nobody says the scale.

    Parameters:
        last: the waves from the break on leave the upper part of the codebook's scale unused; else those before.
    """
    en, zh = _named(names)
    side, side_zh = ("from", "期起") if last else ("before", "期之前")
    do = f"Write the scale on which they were asked under the break (scale: [1, {most:g}], say"
    do_zh = f"请在断点下写明当时的量表（例如 scale: [1, {most:g}]"
    do, do_zh = f"{do}; items: [...] where not all of a scale)", f"{do_zh}；若非全部题项，另写 items: [...]）"
    if last:
        do = "State the scale of the newest waves in the codebook, and the former one under the break (scale: [...])"
        do_zh = "请在编码簿中写最新各期的量表，并在断点下写此前的量表（scale: [...]）"
    return problem(
        "E-SCALE-WAVE",
        place,
        f"{side} {wave} no answer to {en} is above {most:g} of the codebook's {_ends(scale)}: the break says that the "
        "scale changed, and not what it was, so that these answers would be read on the wrong one.",
        f"{wave} {side_zh} {zh} 的回答均不超过 {most:g}（编码簿量表 {_ends(scale)}）：断点称量表已改变，"
        "但未写明原量表，这些回答会按错误的量表计分。",
        f"{do}; if it is the same scale, write waves: {{scales: same}}.",
        f"{do_zh}；量表未变则写 waves: {{scales: same}}。",
    )
