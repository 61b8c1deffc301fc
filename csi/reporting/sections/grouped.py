"""Which groups the sections on groups compare, and where their answers are."""

from __future__ import annotations

from csi.errors import Text
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.study.study import Study
from csi.survey.panel import Panel

LABELS = {
    "brand": Text("brands", "品牌"),
    "wave": Text("waves", "期次"),
    "stage": Text("stages", "阶段"),
    "segment": Text("segments", "客群"),
}


def key_of(study: Study, panel: Panel, wave: str = "") -> str | None:
    """The study's own key of groups, else the first of brand, segment, stage that has two; None without any."""
    asked = study.settings.telling.groups
    here = panel.frame.filter(panel.frame["wave"] == wave) if wave and "wave" in panel.frame.columns else panel.frame
    for key in (asked,) if asked else ("brand", "segment", "stage"):
        if key in panel.frame.columns and (panel.frame if key == "wave" else here)[key].drop_nulls().n_unique() > 1:
            return key
    return None


def group_key(a: Analysis) -> str:
    """The key whose groups are compared."""
    return key_of(a.study, a.panel, a.wave) or "brand"


def group_where(a: Analysis, key: str) -> dict[str, str]:
    """The answers whose groups are compared: brands at the wave; else the focal brand's."""
    if key == "brand":
        return {"wave": a.wave}
    return {"brand": a.focal} if key == "wave" else {"brand": a.focal, "wave": a.wave}


def group_labels(a: Analysis) -> dict[str, Text]:
    """Names of brands, stages, segments and waves."""
    return {**a.brand_labels, **a.group_labels, **{w: words.wave_name(w) for w in a.waves}}


def grouped_by(a: Analysis, key: str, how: Text) -> Text:
    """The line under the title: whose groups, and how."""
    whose, label = a.brand_labels[a.focal], LABELS[key]
    if key == "brand":
        return Text(
            f"{label.en.capitalize()} at {words.wave_name(a.wave).en}; {how.en}",
            f"{words.wave_name(a.wave).zh}各{label.zh}；{how.zh}",
        )
    return Text(f"{whose.en}: {label.en}; {how.en}", f"{whose.zh}各{label.zh}；{how.zh}")
