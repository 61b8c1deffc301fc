"""The views of a series that are told, and their settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from csi.errors import Text
from csi.tracking.breaks import Break
from csi.tracking.index import Index
from csi.tracking.smooth import Control, Smoothed, control, smooth

Shown = Literal["rolling", "ewma", "control", "control-ewma"]
VIEWS: Final[tuple[Shown, ...]] = ("rolling", "ewma", "control", "control-ewma")

USUAL: Final = {"ewma": 0.3, "control-ewma": 0.2}
"""Weight of the newest wave where none is said: of a smoothed series, of a chart."""


@dataclass(frozen=True, slots=True)
class Views:
    """Which views of a series are told, and how they are made.

    Attributes:
        show: "rolling", "ewma", "control", "control-ewma". window: waves of a rolling mean. weight: of the newest wave
            (0.3 of "ewma" and 0.2 of "control-ewma" where None). limit: standard deviations to a control limit.
        baseline: waves that set centre and spread of a chart; all where empty.

    Example:
        >>> Views(window=8).title("rolling").en
        'Rolling mean of 8 waves'
    """

    show: tuple[Shown, ...] = ()
    window: int = 4
    weight: float | None = None
    limit: float = 3.0
    baseline: tuple[str, ...] = ()

    def weight_of(self, view: Shown) -> float:
        """The weight of the newest wave in a view."""
        return USUAL.get(view, 0.3) if self.weight is None else self.weight

    def title(self, view: Shown) -> Text:
        """What a view is called, with its setting."""
        weight = f"{self.weight_of(view):g}"
        return {
            "rolling": Text(f"Rolling mean of {self.window} waves", f"{self.window} 期滚动均值"),
            "ewma": Text(
                f"Exponentially weighted mean (newest wave {weight})", f"指数加权均值（最新一期权重 {weight}）"
            ),
            "control": Text(f"Control chart ({self.limit:g} sd)", f"控制图（{self.limit:g} 倍标准差）"),
            "control-ewma": Text(
                f"EWMA control chart (newest wave {weight}, {self.limit:g} sd)",
                f"指数加权控制图（权重 {weight}，{self.limit:g} 倍标准差）",
            ),
        }[view]


def view_of(
    index: Index,
    construct: str,
    view: Shown,
    settings: Views,
    *,
    waves: Sequence[str] | None = None,
    breaks: Sequence[Break] = (),
    small: int = 0,
) -> Smoothed | Control:
    """One view of a series.

    Parameters:
        index: by wave. waves: their order. breaks: as in `csi.smooth`; those of waves the index does not have are left
            aside. small: cells with fewer rows take no part.

    Raises:
        Problems: as `csi.smooth` and `csi.control`.
    """
    present = set(index.cells["wave"].to_list()) if "wave" in index.cells.columns else set()
    broken = [b for b in breaks if b.wave in present]
    weight = settings.weight_of(view)
    if view in {"rolling", "ewma"}:
        kind: Literal["rolling", "ewma"] = "rolling" if view == "rolling" else "ewma"
        window = settings.window
        return smooth(index, construct, kind, window=window, weight=weight, waves=waves, breaks=broken, small=small)
    chart: Literal["individuals", "ewma"] = "ewma" if view == "control-ewma" else "individuals"
    baseline = [w for w in settings.baseline if w in present] or settings.baseline or None
    return control(
        index,
        construct,
        chart,
        limit=settings.limit,
        weight=weight,
        baseline=baseline,
        waves=waves,
        breaks=broken,
        small=small,
    )
