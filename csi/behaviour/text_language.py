"""Which language a comment is in, by its script, and its sentences and clauses.

    share = h / (h + l),  h Chinese characters, l words in Latin letters;  zh from .8, en up to .2, mixed between

Letters of other scripts in the majority, and Latin text of eight words or more without one frequent English word, are
"unknown"; a comment without any letter is "emoji" (figures, punctuation, pictographs) or "empty".
"""

from __future__ import annotations

from typing import Final

import polars as pl

LANGUAGES: Final = ("zh", "en", "mixed", "unknown", "emoji", "empty")
READ: Final = ("zh", "en", "mixed")
"""Languages that are read."""

LONGEST: Final = 20_000
"""Characters of a comment that are read."""

ENOUGH: Final = 8
"""Words from which English shows by a frequent word."""

FREQUENT: Final = (
    r"(?i)\b(?:the|and|is|was|were|are|to|of|in|it|for|i|my|me|we|you|they|not|very|with|this|that|have|had|has|but|on|"
    r"at|no|so|be|good|service|all|from|would)\b"
)
SENTENCE: Final = r"[。！？!?；;…\n\r]+|\.(?:\s|$)+"
CLAUSE: Final = r"[，,、：:（）()\u{2014}]+"
MARK: Final = "\x1f"


def language(text: pl.Expr) -> pl.Expr:
    """One of `LANGUAGES`.

    Example:
        >>> said = ["服务很好", "Very kind", "客服 support 很 nice", "Очень хорошо", "👍👍 100", "  ", None]
        >>> pl.DataFrame({"text": said}).select(language(pl.col("text")))["language"].to_list()
        ['zh', 'en', 'mixed', 'unknown', 'emoji', 'empty', 'empty']
    """
    full = text.fill_null("").str.strip_chars()
    han = full.str.count_matches(r"\p{Han}")
    latin = full.str.count_matches(r"\p{Latin}+(?:['’]\p{Latin}+)?")
    letters = full.str.count_matches(r"\p{L}")
    other = letters - han - full.str.count_matches(r"\p{Latin}")
    share = han / (han + latin)
    foreign = (han == 0) & (latin >= ENOUGH) & ~full.str.contains(FREQUENT)
    return (
        pl.when(full.str.len_chars() == 0).then(pl.lit("empty"))
        .when(letters == 0).then(pl.lit("emoji"))
        .when((2 * other > letters) | foreign).then(pl.lit("unknown"))
        .when(share >= 0.8).then(pl.lit("zh"))
        .when(share <= 0.2).then(pl.lit("en"))
        .otherwise(pl.lit("mixed"))
        .alias("language")
    )  # fmt: skip


def clauses(frame: pl.DataFrame, turns: str) -> pl.DataFrame:
    """The clauses of comments.

    Parameters:
        frame: with `row` and `text`. turns: a pattern of words that turn a sentence, such as "but".

    Returns:
        row, sentence (number within the comment), clause (in small letters), weight (.5 before a word that turns the
        sentence, 1.5 from it on, else 1), in order.

    Example:
        >>> frame = pl.DataFrame({"row": [0], "text": ["价格便宜，但服务差。再见!"]})
        >>> clauses(frame, "但|but").select("sentence", "clause", "weight").rows()
        [(0, '价格便宜', 0.5), (0, '但服务差', 1.5), (1, '再见', 1.0)]
    """
    small = pl.col("text").str.to_lowercase()
    split = (
        frame.select("row", small.str.replace_all(SENTENCE, "\n").str.split("\n").alias("said"))
        .explode("said")
        .with_columns(pl.col("said").str.strip_chars())
        .filter(pl.col("said") != "")
        .with_columns(pl.int_range(pl.len()).over("row").alias("sentence"))
    )
    apart = pl.col("said").str.replace_all(CLAUSE, MARK).str.replace_all(f"(?:{turns})", f"{MARK}${{0}}")
    parts = (
        split.select("row", "sentence", apart.str.split(MARK).alias("clause"))
        .explode("clause")
        .with_columns(pl.col("clause").str.strip_chars())
        .filter(pl.col("clause") != "")
        .with_columns(pl.col("clause").str.contains(f"^(?:{turns})").alias("_turn"))
    )
    seen = pl.col("_turn").cast(pl.Int64).cum_sum().over("row", "sentence")
    any_turn = pl.col("_turn").any().over("row", "sentence")
    weight = pl.when(any_turn & (seen == 0)).then(0.5).when(any_turn).then(1.5).otherwise(1.0)
    return parts.with_columns(weight.alias("weight")).drop("_turn")
