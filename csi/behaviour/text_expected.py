"""Wordings that compare what came with what was expected or promised: more (1), as much (0), less (-1)."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Final

import polars as pl

from csi.yamlfile import strings

HINT: Final = (
    "预期|期望|期待|想象|预想|预料|意料|宣传|广告|描述|承诺|诺言|约定|说的|介绍|符实|虚传|对板|不符|其实|所望|食言|"
    "无信|算数|算话|说一套|说到|兑现|履行|遵守|如我|所期|所愿|所料|归|必行|价实|喜出|意外|没想到|以为|说好|相符|不像|夸大|"
    "expect|promis|advertis|describ|agreed|stated|imagin|hope|thought|told|claim|word|surpris|deliver|hype|anticip|"
    "ordered|description|the ad|misleading|deceptive|could have"
)
"""What a clause has that such a wording may be in; others are not looked at."""

VALUES: Final = {"below": -1, "met": 0, "better": 1}


@functools.cache
def patterns() -> dict[str, str]:
    """Kind of wording -> one pattern, in the order in which they are read."""
    raw = strings(files("csi.behaviour").joinpath("text_expected.yaml").read_text(encoding="utf-8"))
    return {kind: "|".join(f"(?:{p})" for p in every) for kind, every in raw.items()}


def expected(said: pl.DataFrame) -> pl.DataFrame:
    """Clauses with `below`, `met`, `better` (wordings of each), the wordings taken out of `clause`.

    Parameters:
        said: with `clause`, in small letters.

    Example:
        >>> said = ["超出预期", "和宣传不符", "as promised", "没有达到预期", "没有超出预期", "快"]
        >>> expected(pl.DataFrame({"clause": said})).select("below", "met", "better").rows()
        [(0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0)]
    """
    frame = said.with_row_index("_at")
    maybe = frame.filter(pl.col("clause").str.contains(HINT))
    for kind, pattern in patterns().items():
        maybe = maybe.with_columns(
            pl.col("clause").str.count_matches(pattern).cast(pl.Int64).alias(kind),
            pl.col("clause").str.replace_all(pattern, " "),
        )
    found = frame.join(maybe.select("_at", pl.col("clause").alias("_rest"), *VALUES), on="_at", how="left",
                       maintain_order="left")  # fmt: skip
    return found.with_columns(
        pl.coalesce("_rest", "clause").alias("clause"), *(pl.col(k).fill_null(0) for k in VALUES)
    ).drop("_at", "_rest")


def disconfirmed(better: pl.Expr, met: pl.Expr, below: pl.Expr) -> pl.Expr:
    """1, 0 or -1 where a comment compares with what was expected, else null.

    Example:
        >>> frame = pl.DataFrame({"better": [2, 0, 0], "met": [0, 1, 0], "below": [1, 0, 0]})
        >>> frame.select(disconfirmed(pl.col("better"), pl.col("met"), pl.col("below")))[:, 0].to_list()
        [1, 0, None]
    """
    return pl.when(better + met + below > 0).then((better - below).sign())
