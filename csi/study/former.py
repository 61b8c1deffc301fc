"""The breaks of a study file as values, and the scales on which waves before them were asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from csi.errors import Problem, Text, did_you_mean, problem
from csi.study.positions import Document
from csi.study.schema import StudyForm
from csi.study.schema_survey import BreakForm
from csi.study.settings import POINTS, BreakSaid, LinkSaid
from csi.survey.codebook import Codebook
from csi.survey.former import Former

if TYPE_CHECKING:
    from csi.study.study import Study


def break_said(form: BreakForm, folder: Path, place: str) -> BreakSaid:
    """A break, the file of its link beside the study file.

    Parameters:
        place: its line.
    """
    said = form.link
    scale = (form.scale[0], form.scale[1]) if len(form.scale) == 2 else None
    linked = None
    if said is not None:
        old, new = said.scales if len(said.scales) == 2 else POINTS
        linked = LinkSaid(
            method=said.method,
            construct=said.construct_,
            file=folder / said.file if said.file else None,
            **{name: getattr(said, name) for name in ("old", "new", "weight", "respondent", "cluster", "stratum")},
            anchors=tuple(said.anchors),
            changed=tuple(said.changed),
            scales=((old[0], old[1]), (new[0], new[1])),
            shift=said.shift,
            slope=said.slope,
            std_error=said.std_error,
        )
    return BreakSaid(form.wave, form.what, Text(form.en, form.zh), linked, scale, tuple(form.items), place)


def formers(study: Study) -> tuple[Former, ...]:
    """The scales on which items were asked until a break: what it says (`scale`), else its link's old scale.

    Without `items` of the break they are those that are asked on a scale of the linked construct's items.
    """
    doubt = study.scales != "same"
    out = []
    for one in study.breaks:
        scale, link = one.scale, one.link
        if scale is None and link is not None and link.scales[0] not in (POINTS[0], link.scales[1]):
            scale = link.scales[0]
        if scale is None and one.what != "scale":
            continue
        items = one.items or _items(study, (link.construct if link is not None else "") or study.settings.target)
        out.append(Former(one.wave, items, scale, one.scale is not None, doubt, one.place or "waves: breaks"))
    return tuple(out)


def _items(study: Study, construct: str) -> tuple[str, ...]:
    """Items that are asked on a scale of a construct's items; all where it has none."""
    book = study.codebook
    mine = {item for c in study.model.constructs if c.name == construct for item in c.items}
    scales = {(i.scale.minimum, i.scale.maximum) for i in book.items if i.name in mine}
    return tuple(i.name for i in book.items if not scales or (i.scale.minimum, i.scale.maximum) in scales)


def former_problems(form: StudyForm, book: Codebook | None, document: Document) -> Iterator[Problem]:
    """A former scale that ends before it begins; items that are not there, or whose scale nobody says."""
    for i, one in enumerate(form.waves.breaks):
        if one.scale and not (len(one.scale) == 2 and one.scale[0] < one.scale[1]):
            place = document.place(("waves", "breaks", i, "scale"))
            en, zh = "the former scale is not a lowest and a highest answer.", "原量表不是最低与最高的答案。"
            yield problem("E-BREAK", place, en, zh, "Write scale: [1, 5], say.", "例如写 scale: [1, 5]。")
        place = document.place(("waves", "breaks", i, "items"))
        for name in one.items if book is not None else ():
            if book is not None and name not in book.names:
                hint = did_you_mean(name, book.names)
                en, zh = f'item "{name}" is not in the codebook.', f"编码簿中没有题项“{name}”。"
                yield problem("E-ITEM", place, en, zh, hint.en, hint.zh)
        if one.items and not one.scale and (one.link is None or not one.link.scales):
            en, zh = "`items` are named and not the scale that they were asked on.", "写有 items 而未写其原量表。"
            yield problem("E-BREAK", place, en, zh, "Write scale: [1, 5], say.", "例如写 scale: [1, 5]。")
