"""The one part of a page that answers back: sliders for levers, and the target's points that go with them.

The page is complete without it: it stays hidden where no script runs. Numbers are those of `csi.whatif`: respondents
stop at the ends of the scale, intervals are percentiles of the same draws.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from csi.errors import Text
from csi.importance.lever_grid import LeverGrid
from csi.reporting import style

POINTS = np.arange(-10.0, 21.0)
"""Where sliders stop: from ten points less to twenty more."""

DECIMALS = 4
"""Of what the page keeps: a change of 20 points is then within 0.001 of what was computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulator:
    """Levers over a range of points, and what they are called."""

    grid: LeverGrid
    labels: tuple[Text, ...]
    target: Text

    @property
    def rows(self) -> tuple[tuple[Text, str], ...]:
        """Levers with where they stand."""
        return tuple(zip(self.labels, (style.score(float(x)) for x in self.grid.now), strict=True))

    @property
    def first(self) -> int:
        """The lowest place of a slider."""
        return int(self.grid.points[0])

    @property
    def last(self) -> int:
        """The highest place of a slider."""
        return int(self.grid.points[-1])

    @property
    def heading(self) -> Text:
        """Its heading."""
        return Text(
            f"Try it: move the drivers, and read what goes with it in {self.target.en}",
            f"试一试：移动各驱动因素，看{self.target.zh}相应变化多少",
        )

    @property
    def legend(self) -> Text:
        """How to read it."""
        few = f"{len(self.grid.draws):,}"
        return Text(
            f"Everyone is moved by what the slider says and stops at 0 and 100; intervals: percentiles of {few} draws. "
            "Association, not effect: the model's arrows are assumed, not shown.",
            f"每位受访者均按滑块移动，至 0 与 100 为止；区间为 {few} 次抽样的百分位数。"
            "所示为关联而非因果：模型路径是假设，并非证明。",
        )

    @property
    def result(self) -> Text:
        """The sentence; the script fills its gaps."""
        level = f"{100 * self.grid.level:.10g}%"
        return Text(
            f"{self.target.en[:1].upper()}{self.target.en[1:]}: {{now}} → {{after}} "
            f"({{change}} points; {level} interval {{low}} to {{high}})",
            f"{self.target.zh}：{{now}} → {{after}}（{{change}} 分；{level} 区间 {{low}} 至 {{high}}）",
        )

    @property
    def at_rest(self) -> Text:
        """The sentence before anything is moved."""
        now, nothing = style.score(self.grid.target_now), style.change(0.0)
        gaps = {"now": now, "after": now, "change": nothing, "low": nothing, "high": nothing}
        return Text(self.result.en.format(**gaps), self.result.zh.format(**gaps))

    @property
    def left(self) -> Text:
        """What is said of a lever that was moved."""
        return Text("{rise} on average, {end} at the end of the scale", "平均 {rise}，{end} 到达端点")

    @property
    def reset(self) -> Text:
        """The button."""
        return Text("Back to now", "回到现状")


def data_of(made: Simulator) -> str:
    """What the script reads, as JSON that is safe inside a page: digits, brackets and our own names.

    Example:
        >>> one = LeverGrid(("a",), "b", POINTS, np.array([60.0]), POINTS[None], POINTS[None] * 0,
        ...                 np.array([0.5]), np.array([[0.4], [0.6]]), 70.0, 0.95)
        >>> data_of(Simulator(one, (Text("a", "甲"),), Text("b", "乙")))[-29:]
        '0,16.0,17.0,18.0,19.0,20.0]]}'
    """
    g = made.grid
    kept = {
        "first": made.first, "now": g.target_now, "level": g.level, "response": g.response.tolist(),
        "rise": g.rise.round(DECIMALS).tolist(), "at_end": g.at_end.round(DECIMALS).tolist(),
        "draws": g.draws.round(DECIMALS).tolist(),
    }  # fmt: skip
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), allow_nan=False)


@cache
def script() -> str:
    """The script."""
    return (Path(__file__).parent / "templates" / "simulator.js").read_text(encoding="utf-8")


def policy() -> str:
    """What a browser may run: this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"script-src 'sha256-{digest}'"
