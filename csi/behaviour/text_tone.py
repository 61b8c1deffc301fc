"""How a comment sounds, by a lexicon of its own: words, what turns them over, what makes them stronger or weaker.

    x = sum of weight * strength * f,   tone = 1/2 + x / (2 sqrt(x^2 + 4))

strength is 1 to 3 with its sign; f = -3/4 for a word turned over ("not good"), 1.3 for one made stronger, .7 weaker,
-1/2 where a negation stands before what makes stronger ("not very good"). 1/2 is neutral. The tone is a sign with some
strength, no interval scale.

Source:
    The shape follows Hutto & Gilbert (2014), ICWSM 8, 216-225; words and constants are the package's own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import polars as pl

from csi.yamlfile import strings

TURNED, STRONGER, WEAKER, DAMPED = -0.75, 1.3, 0.7, -0.5
MOST: Final = 5
"""Words between a negation and what it turns over."""

EXPECTED: Final = 2.0
"""What a wording of more, or less, than was expected adds."""

NEGATED: Final = r"[a-z]+n['’]?t"
"""English words with a negation in them; "want", "different" and other words in nt are not."""


@dataclass(frozen=True, slots=True)
class Words:
    """A lexicon, compiled.

    Attributes:
        phrase: a pattern of a word with all that stands before it and changes it. values: word -> strength.
        prefix: a pattern of what changes. turns, up, down: negations, what makes stronger, what makes weaker.
        but: a pattern of words that turn a sentence.
    """

    phrase: str
    values: Mapping[str, float]
    prefix: re.Pattern[str]
    word: re.Pattern[str]
    turns: frozenset[str]
    up: frozenset[str]
    down: frozenset[str]
    but: str


@functools.cache
def words() -> Words:
    """The lexicon of the package, both languages in one pattern."""
    raw = strings(files("csi.behaviour").joinpath("text_lexicon.yaml").read_text(encoding="utf-8"))
    values: dict[str, float] = {}
    sides = []
    for lang in ("zh", "en"):
        said = raw[lang]
        own = {w: float(k) for k, every in said["good"].items() for w in every}
        own |= {w: -float(k) for k, every in said["bad"].items() for w in every}
        own |= dict.fromkeys(said["plain"], 0.0)
        values |= own
        before = [*said["not"], *said["more"], *said["less"], *said["between"]]
        sides.append((_longest(before), _longest(own)))
    (zh_before, zh_own), (en_before, en_own) = sides
    wont = r"(?:ca|wo|do|does|did|is|was|are|were|has|have|had|would|could|should|ai)n['’]?t"
    zh = rf"(?:(?:{zh_before})\s?){{0,{MOST}}}?(?:{zh_own})"
    en = rf"\b(?:(?:{wont}|{en_before})\s+){{0,{MOST}}}?(?:{en_own})\b"
    turns = [w for lang in ("zh", "en") for w in raw[lang]["not"]]
    return Words(
        phrase=f"{zh}|{en}",
        values=values,
        prefix=re.compile(rf"(?:{wont}|\b(?:{en_before})\b|{zh_before})"),
        word=re.compile(rf"(?:{zh_own}|\b(?:{en_own}))$"),
        turns=frozenset(turns),
        up=frozenset(w for lang in ("zh", "en") for w in raw[lang]["more"]),
        down=frozenset(w for lang in ("zh", "en") for w in raw[lang]["less"]),
        but="|".join([*raw["but"]["zh"], *(rf"\b{w}\b" for w in raw["but"]["en"])]),
    )


def strength(phrase: str) -> float:
    """What a phrase adds: the strength of its word, changed by what stands before it.

    Example:
        >>> [round(strength(p), 3) for p in ("满意", "非常满意", "不是很满意", "没有问题", "not at all helpful")]
        [2.0, 2.6, -1.0, 0.75, -1.5]
    """
    known = words()
    last = known.values.get(phrase)
    if last is not None:
        return last
    found = next((m for m in (known.word.search(phrase, at) for at in range(len(phrase))) if m), None)
    if found is None:
        return 0.0
    return known.values[found[0]] * _factor(known, known.prefix.findall(phrase[: found.start()]))


def _factor(known: Words, before: Sequence[str]) -> float:
    """By how much the words before change the strength."""
    factor = 1.0
    for at, word in enumerate(before):
        if word in known.turns or word.endswith(("n't", "n’t", "nt")):
            damped = any(w in known.up for w in before[at + 1 :])
            factor *= DAMPED / STRONGER if damped else TURNED
        elif word in known.up:
            factor *= STRONGER
        elif word in known.down:
            factor *= WEAKER
    return factor


def valued(said: pl.DataFrame) -> pl.DataFrame:
    """Clauses with `value` (sum of strengths) and `words` (how many words count).

    Parameters:
        said: with `clause`, in small letters.

    Example:
        >>> valued(pl.DataFrame({"clause": ["非常满意", "not good", "好像是"]})).select("value", "words").rows()
        [(2.6, 1), (-1.5, 1), (0.0, 0)]
    """
    found = said.select(pl.col("clause").str.extract_all(words().phrase).alias("phrase")).with_row_index("_at")
    long = found.explode("phrase").drop_nulls("phrase")
    once = long["phrase"].unique().sort()
    sizes = pl.DataFrame({"phrase": once, "size": [strength(p) for p in once.to_list()]}, schema_overrides=_SIZES)
    sums = long.join(sizes, on="phrase").group_by("_at").agg(
        pl.col("size").sort().sum().alias("value"), (pl.col("size") != 0).sum().cast(pl.Int64).alias("words")
    )  # fmt: skip
    joined = said.with_row_index("_at").join(sums, on="_at", how="left", maintain_order="left")
    return joined.with_columns(pl.col("value").fill_null(0.0), pl.col("words").fill_null(0)).drop("_at")


_SIZES: Final[dict[str, Any]] = {"phrase": pl.String, "size": pl.Float64}


def toned(x: pl.Expr) -> pl.Expr:
    """A sum of strengths on 0 to 1.

    Example:
        >>> pl.DataFrame({"x": [-2.0, 0.0, 2.0]}).select(toned(pl.col("x")).round(3))[:, 0].to_list()
        [0.146, 0.5, 0.854]
    """
    return 0.5 + 0.5 * x / (x**2 + 4.0).sqrt()


def _longest(every: Sequence[str] | Mapping[str, float]) -> str:
    """Words as a pattern, longer ones first."""
    return "|".join(re.escape(w).replace(r"\ ", " ") for w in sorted(every, key=lambda w: (-len(w), w)))
