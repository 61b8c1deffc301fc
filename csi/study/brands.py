"""Names that brands had before or have in some files, and where the base wave is named."""

from __future__ import annotations

from collections.abc import Iterator

from csi.errors import Problem, problem
from csi.study.positions import Document, Loc
from csi.study.schema import StudyForm


def brand_fields(form: StudyForm, document: Document) -> dict[str, object]:
    """The fields `renamed` and `base_place` of a study."""
    loc: Loc = ("index", "base") if form.index.base else ("waves", "base" if form.waves.base else "order")
    return {
        "renamed": {old: brand.name for brand in form.brands for old in brand.was},
        "base_place": document.place(loc),
    }


def renamed_problems(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Earlier names that are those of another brand too, or of the brand itself."""
    taken = [brand.name for brand in form.brands]
    for number, brand in enumerate(form.brands):
        for at, old in enumerate(brand.was):
            if old in taken:
                en = f'"{old}" is the name of two brands, or of one twice.'
                zh = f"“{old}”是两个品牌的名称，或同一品牌重复写出。"
                place = document.place(("brands", number, "was", at))
                yield problem("E-TWICE", place, en, zh, "Keep one of them.", "请只保留一个。")
            taken.append(old)
