"""One convention for every question of size: of n, power and an effect two are given, the third is found.

Letters: `n` people.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
from scipy.optimize import brentq

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, is_number, problem, whole

Solved = Literal["n", "power", "effect"]
MOST = 10**8
"""No study asks more people."""


@dataclass(frozen=True, slots=True, repr=False)
class Power(Shown):
    """An answer to a question of size.

    Attributes:
        what: "rmsea", "path", "alpha", "icc", "invariance" or "pls". solved: which of "n", "power", "effect" was found.
        n, power, effect: all three; no power where the width of an interval is asked. name: what the effect is.
        significance: of the test (1 - level of an interval). settings: the rest of the question, and what else was
        found. sentences: the answer in words. notes.
    """

    what: str
    solved: Solved
    n: int
    power: float | None
    effect: float
    name: Text
    significance: float
    settings: Mapping[str, Any] = field(default_factory=dict)
    sentences: tuple[Text, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def table(self) -> pl.DataFrame:
        """One row: what, n, power, effect, significance, settings."""
        row = {
            "what": self.what,
            "solved": self.solved,
            "n": self.n,
            "power": self.power,
            "effect": self.effect,
            "significance": self.significance,
            **self.settings,
        }
        return pl.DataFrame([row], schema_overrides={"power": pl.Float64})


@text.register
def _(value: Power, lang: str = "en") -> str:
    """The answer in words, then notes."""
    return "\n".join([*(s.say(lang) for s in value.sentences), *(f"* {n.say(lang)}" for n in value.notes)])


@dataclass(frozen=True, slots=True)
class Asked:
    """Two of n, power and an effect, and what they may be.

    Attributes:
        name: the argument the effect is given by. low, high: what the effect must lie between. least: smallest n.
    """

    n: object
    power: object
    effect: object
    name: str
    low: float
    high: float
    least: int = 2
    significance: object = 0.05

    def problems(self, *others: Problem) -> None:
        """Raise what is wrong with the question, with `others` before.

        Raises:
            Problems: E-POWER, E-SETTING.
        """
        found = [*others, *number("significance", self.significance, 0, 1)]
        given = {"n": self.n, "power": self.power, self.name: self.effect}
        absent = [name for name, value in given.items() if value is None]
        if len(absent) != 1:
            en = f"two of n, power and {self.name} are given and the third is found; {3 - len(absent)} are given."
            zh = f"n、power 与 {self.name} 中应给出两个，由此求第三个；现给出 {3 - len(absent)} 个。"
            less = len(absent) == 0
            do, do_zh = (
                ("Leave one of them out.", "请省略其中一个。") if less else ("Give two of them.", "请给出其中两个。")
            )
            found.append(impossible("n, power", en, zh, do, do_zh))
        if self.n is not None:
            found += size(self.n, self.least)
        if self.power is not None:
            floor = float(str(self.significance)) if is_number(self.significance) else 0.0
            found += number("power", self.power, floor, 1, why=POWER)
        if self.effect is not None:
            found += number(self.name, self.effect, self.low, self.high)
        if found:
            raise Problems(found)

    @property
    def solved(self) -> Solved:
        """Which of the three is to be found."""
        return "n" if self.n is None else "power" if self.power is None else "effect"


POWER = Text(
    "it lies between the significance (what chance alone reaches) and 1, and is neither",
    "它介于显著性水平（纯属偶然也能达到）与 1 之间，且不取两端",
)


def number(name: str, value: object, low: float, high: float, why: Text | None = None) -> list[Problem]:
    """A problem where a value is no number strictly between two others; else none.

    Example:
        >>> number("power", 0.8, 0, 1), [p.code for p in number("power", 1.2, 0, 1)]
        ([], ['E-POWER'])
    """
    if is_number(value) and low < float(str(value)) < high:
        return []
    rule = why or Text(
        f"a number above {low:g} and below {high:g} is expected", f"应为大于 {low:g} 且小于 {high:g} 的数"
    )
    en, zh = f"{rule.en}, not {_said(value)}.", f"{rule.zh}，而不是 {_said(value)}。"
    middle = 0.8 if name == "power" else 0.05 if name == "significance" else (low + min(high, low + 1)) / 2
    return [impossible(name, en, zh, f"Write {name}={middle:g}, say.", f"例如 {name}={middle:g}。")]


def size(value: object, least: int, name: str = "n", why: Text | None = None) -> list[Problem]:
    """A problem where a value is no whole number from `least`; else none.

    Example:
        >>> [p.code for p in size(3, 10)], size(10, 10)
        (['E-POWER'], [])
    """
    if whole(name, value):
        return whole(name, value)
    if int(str(value)) >= least:
        return []
    rule = why or Text("fewer tell nothing", "更少则无法给出结果")
    en, zh = f"at least {least} are needed, not {value}: {rule.en}.", f"至少需要 {least}，而不是 {value}：{rule.zh}。"
    return [impossible(name, en, zh, f"Write {name}={least} or more.", f"请写 {name}={least} 或更大。")]


def impossible(place: str, en: str, zh: str, do: str, do_zh: str) -> Problem:
    """A question of size that has no answer."""
    return problem("E-POWER", place, en, zh, do, do_zh)


def _said(value: object) -> str:
    """A value of any kind in a message."""
    shown = repr(value)
    return shown if len(shown) < 40 else type(value).__name__


def smallest_n(power_at: Callable[[int], float], target: float, least: int) -> int:
    """The smallest n with at least the power wanted.

    Parameters:
        power_at: power of an n, growing with it. least: smallest n that can be.

    Raises:
        Problems: E-POWER where no n reaches it.

    Example:
        >>> smallest_n(lambda n: 1 - 1 / n, 0.8, 2)
        5
    """
    low, high = least - 1, least
    while power_at(high) < target:
        low, high = high, 2 * high
        if high > MOST:
            en = "no number of people reaches this power: the effect is too near what is tested against."
            zh = "无论多少人都达不到该功效：效应与检验的零假设值过于接近。"
            do, do_zh = "Ask for a larger effect or less power.", "请给出更大的效应或更低的功效。"
            raise Problems([impossible("power", en, zh, do, do_zh)])
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= target else (middle, high)
    return high


def smallest_effect(
    power_at: Callable[[float], float], target: float, near: float, far: float, within: float = 1e-12
) -> float:
    """The effect nearest to what is tested against that has the power wanted.

    Parameters:
        near, far: what is tested against, and the largest effect there can be. within: how closely it is wanted.

    Raises:
        Problems: E-POWER where even that is found too seldom.

    Example:
        >>> round(smallest_effect(lambda x: x, 0.8, 0.0, 1.0), 6)
        0.8
    """
    edge = far + (near - far) * 1e-9
    if not power_at(edge) >= target:
        en = "even the largest effect there can be is found less often with so few people."
        zh = "样本如此之小，即使最大的效应也达不到该功效。"
        do, do_zh = "Ask more people, or less power.", "请增加样本量或降低功效。"
        raise Problems([impossible("n", en, zh, do, do_zh)])
    return float(brentq(lambda x: power_at(x) - target, near + (far - near) * 1e-6, edge, xtol=within))


def sentence(solved: Solved, n: int, power: float, test: Text, effect: Text, name: Text) -> Text:
    """The answer in words.

    Parameters:
        test: what is done, as "a test of close fit". effect: what is so, as "the RMSEA is 0.08". name: of the effect.

    Example:
        >>> t, e = Text("a test of x", "对 x 的检验"), Text("x is 0.3", "x 为 0.3")
        >>> sentence("n", 85, 0.8, t, e, Text("x", "x")).en
        '85 people are needed for a test of x to have a power of 0.800 where x is 0.3.'
    """
    if solved == "n":
        return Text(
            f"{n} people are needed for {test.en} to have a power of {power:.3f} where {effect.en}.",
            f"当{effect.zh}时，{test.zh}要达到 {power:.3f} 的功效，需要 {n} 人。",
        )
    if solved == "power":
        return Text(
            f"With {n} people {test.en} has a power of {power:.3f} where {effect.en}.",
            f"当{effect.zh}、样本为 {n} 人时，{test.zh}的功效为 {power:.3f}。",
        )
    return Text(
        f"With {n} people the {name.en} that {test.en} finds with a power of {power:.3f}: {effect.en}.",
        f"样本为 {n} 人时，{test.zh}以 {power:.3f} 的功效所能发现的{name.zh}：{effect.zh}。",
    )


def widths(solved: Solved, n: int, level: float, of: Text, width: float) -> Text:
    """The answer in words where the width of an interval is asked.

    Example:
        >>> widths("n", 51, 0.95, Text("an ICC of 0.8", "0.8 的 ICC"), 0.2).en
        '51 people are needed for a 95 % interval of an ICC of 0.8 to be 0.200 wide.'
    """
    percent = f"{100 * level:g}"
    if solved == "n":
        return Text(
            f"{n} people are needed for a {percent} % interval of {of.en} to be {width:.3f} wide.",
            f"要使{of.zh}的 {percent}% 区间宽度为 {width:.3f}，需要 {n} 人。",
        )
    return Text(
        f"With {n} people a {percent} % interval of {of.en} is {width:.3f} wide.",
        f"样本为 {n} 人时，{of.zh}的 {percent}% 区间宽度为 {width:.3f}。",
    )
