"""Who scores comments: the user's own scores, the package's lexicon, or analysers of one language each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import numpy as np
import polars as pl

from csi.behaviour.text_expected import VALUES, expected
from csi.behaviour.text_tone import EXPECTED, toned, valued
from csi.engines.sentiment import SnowNlp, Vader
from csi.errors import Problems, Text, did_you_mean, problem
from csi.moments.stack import Array

NAMES: Final = ("score", "lexicon", "packages")
"""Ways to score: the column `score`, the package's lexicon, SnowNLP (zh) with VADER (en)."""


@runtime_checkable
class Analyser(Protocol):
    """Scores texts of some languages ("zh", "en"), 0 (bad) to 1 (good), .5 neutral, NaN where it cannot say."""

    @property
    def name(self) -> str:
        """Name for tables."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages it reads."""

    def score(self, texts: Sequence[str]) -> Array:
        """(n,) scores."""


def analysers_of(asked: object, *, scored: bool) -> tuple[str, tuple[Analyser, ...]]:
    """The way to score, and the analysers where those do it.

    Parameters:
        asked: "" (the user's scores where there are any, else the lexicon), one of `NAMES`, an `Analyser` or several.
        scored: whether the comments have scores of the user's.

    Raises:
        Problems: E-TEXT for a way that does not exist, or scores that are not there.
    """
    if asked == "packages":
        return "analysers", (SnowNlp(), Vader())
    if asked in ("", None):
        return ("score" if scored else "lexicon"), ()
    if isinstance(asked, str):
        if asked not in NAMES:
            what = Text(f'nothing called "{asked}" scores comments.', f"没有名为“{asked}”的评分方式。")
            hint = did_you_mean(asked, NAMES)
            raise Problems([problem("E-TEXT", "analyser", what.en, what.zh, hint.en, hint.zh)])
        if asked == "score" and not scored:
            en, zh = "the comments have no column score.", "评论表没有 score 列。"
            do, do_zh = 'Add it, or write "lexicon".', "请补充该列，或改用 lexicon。"
            raise Problems([problem("E-TEXT", "analyser", en, zh, do, do_zh)])
        return asked, ()
    several = tuple(asked) if isinstance(asked, list | tuple) else (asked,)
    if all(isinstance(a, Analyser) for a in several):
        return "analysers", several
    en, zh = f"an analyser was expected, not {type(asked).__name__}.", f"需要评分器，而不是 {type(asked).__name__}。"
    do, do_zh = (
        "Give an object with name, languages and score(texts).",
        "请给出带有 name、languages、score(texts) 的对象。",
    )
    raise Problems([problem("E-TEXT", "analyser", en, zh, do, do_zh)])


def by_lexicon(said: pl.DataFrame) -> pl.DataFrame:
    """Clauses with `value` (weighted strength), `words`, and the wordings `below`, `met`, `better`.

    Parameters:
        said: `csi.behaviour.text_language.clauses`.

    Example:
        >>> said = pl.DataFrame({"clause": ["没有想象的那么好", "态度很好"], "weight": [1.0, 1.0]})
        >>> by_lexicon(said).select("value", "words", "below").rows()
        [(-2.0, 1, 1), (2.0, 1, 0)]
    """
    read = valued(expected(said)).with_columns(said["clause"])
    sum_of = pl.col("value") + EXPECTED * (pl.col("better") - pl.col("below"))
    return read.with_columns(
        (pl.col("weight") * sum_of).alias("value"), pl.col("words") + pl.sum_horizontal(*VALUES).alias("words")
    )


def sentence_tones(said: pl.DataFrame, others: Sequence[Analyser]) -> pl.DataFrame:
    """Tone of every sentence: row, sentence, tone, null where nothing says how it sounds.

    Parameters:
        said: as `by_lexicon` returns it. others: analysers that score instead; each reads sentences mostly in its
            language.
    """
    each = said.group_by("row", "sentence", maintain_order=True).agg(
        pl.col("value").sum(), pl.col("words").sum(), pl.col("clause").str.join(", ").alias("said")
    )
    if not others:
        return each.select("row", "sentence", pl.when(pl.col("words") > 0).then(toned(pl.col("value"))).alias("tone"))
    han = pl.col("said").str.count_matches(r"\p{Han}")
    each = each.with_columns(
        pl.when(han >= pl.col("said").str.count_matches(r"\p{Latin}+")).then(pl.lit("zh")).otherwise(pl.lit("en"))
        .alias("language")
    )  # fmt: skip
    tone = np.full(each.height, np.nan)
    for analyser in others:
        at = np.flatnonzero(each["language"].is_in(list(analyser.languages)).to_numpy() & np.isnan(tone))
        tone[at] = np.clip(analyser.score(each["said"].gather(at).to_list()), 0.0, 1.0) if at.size else []
    return each.select("row", "sentence").with_columns(pl.Series("tone", tone).fill_nan(None))
