"""Survey platforms, one file each: what tells its export, and how it becomes one row per answer with text cells.

They are tried in a fixed order, from the plainest mark to the weakest; an export that none knows is a plain table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from csi.errors import note
from csi.survey.datafile import DataFile, Platform, Raw
from csi.survey.readers.platforms.google import GOOGLE
from csi.survey.readers.platforms.kobo import KOBO, ODK
from csi.survey.readers.platforms.limesurvey import LIMESURVEY
from csi.survey.readers.platforms.qualtrics import QUALTRICS
from csi.survey.readers.platforms.recipe import ReadTable, Recipe
from csi.survey.readers.platforms.surveymonkey import SURVEYMONKEY
from csi.survey.readers.platforms.tencent import TENCENT
from csi.survey.readers.platforms.wenjuan import WENJUAN
from csi.survey.readers.platforms.wjx import WJX

ORDER: Final[tuple[Recipe, ...]] = (QUALTRICS, WJX, TENCENT, WENJUAN, LIMESURVEY, KOBO, ODK, SURVEYMONKEY, GOOGLE)
"""The order in which platforms are tried."""

FINISHED: Final = ("qualtrics", "limesurvey")
"""Platforms whose exports say which answer sheets are finished."""


def platform_of(raw: Raw) -> tuple[Recipe, Platform] | None:
    """The platform that an export comes from, with what tells it; None for a plain table."""
    for recipe in ORDER:
        why = recipe.evidence(raw)
        if why is not None:
            return recipe, Platform(recipe.name, recipe.label, why)
    return None


def recognised(raw: Raw, file: DataFile, read: ReadTable) -> Raw:
    """The export with one row per answer, turned by the platform it is recognised as; a plain table as it is.

    Parameters:
        read: reads a further file that belongs to the export.

    Raises:
        Problems: what the platform needs is missing.
    """
    found = platform_of(raw)
    if found is None:
        return raw
    recipe, platform = found
    return replace(recipe.turned(raw, file, read), platform=platform)


def with_idle_incomplete(raw: Raw, file: DataFile) -> Raw:
    """The export with a note where `incomplete:` is set and nothing in it says which answer sheets are finished.

    Example:
        >>> import polars as pl
        >>> from pathlib import Path
        >>> raw = Raw("a.csv", "", pl.DataFrame({"q1": ["5"]}))
        >>> len(with_idle_incomplete(raw, DataFile(Path("a.csv"), incomplete="drop")).notes)
        1
    """
    if not file.incomplete or (raw.platform is not None and raw.platform.name in FINISHED):
        return raw
    told = note(
        "N-INCOMPLETE",
        f"{raw.name}: `incomplete: {file.incomplete}` does nothing here: only exports of Qualtrics and LimeSurvey say "
        "which answer sheets are finished; all rows are read.",
        f"{raw.name}：incomplete: {file.incomplete} 在此不起作用：只有 Qualtrics 和 LimeSurvey 的导出注明答卷是否完成；"
        "已读取全部行。",
    )
    return replace(raw, notes=(*raw.notes, told))
