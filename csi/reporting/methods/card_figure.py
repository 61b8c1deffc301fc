"""The diagram of a card's section: paths with estimates, indices, shares explained."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from csi.claims.card_run import CardRun
from csi.errors import Text
from csi.reporting import style
from csi.reporting.figures.diagram import model_diagram, path_diagram
from csi.reporting.section import Figure


def figure_of(run: CardRun, finding: Text, texts: Mapping[str, Text]) -> Figure:
    """The diagram of the first cell that is told; without numbers where they must not be read."""
    target = run.card.index.target
    if run.table["estimate"].null_count() == run.table.height:

        def plain(lang: str, width: int = style.FULL) -> str:
            return model_diagram(run.model, lang=lang, finding=finding.say(lang), target=target, width=width)

        return Figure("diagram", plain, finding)
    paths, nodes = _arrows(run), _nodes(run)

    def draw(lang: str, width: int = style.FULL) -> str:
        return path_diagram(
            paths, nodes, lang=lang, labels=texts, layout=run.model.layout, target=target, finding=finding.say(lang),
            width=width,
        )  # fmt: skip

    return Figure("diagram", draw, finding, narrow=partial(draw, width=style.PHONE))


def _first(run: CardRun, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of the first cell that is told."""
    cell = run.cells.drop("n", "flag")[run.published or 0]
    keys = [k for k in cell.columns if k in frame.columns]
    return frame.join(cell.select(keys), on=keys, how="semi", nulls_equal=True) if keys and frame.height else frame


def _arrows(run: CardRun) -> pl.DataFrame:
    """Paths, and between a construct made of constructs and its parts their loadings."""
    numbers = ("estimate", "conf_low", "conf_high")
    paths = _first(run, run.table).filter(pl.col("expected") != "0").select("predictor", "outcome", *numbers)
    names = set(run.model.names)
    held = _first(run, run.measurement).filter(pl.col("item").is_in(names))
    if held.height:
        missing = [pl.lit(None, dtype=pl.Float64).alias(c) for c in numbers[1:] if c not in held.columns]
        held = held.with_columns(*missing)
        formative = pl.col("construct").is_in([c.name for c in run.model.constructs if c.operator == "<~"])
        start = pl.when(formative).then(pl.col("item")).otherwise(pl.col("construct"))
        end = pl.when(formative).then(pl.col("construct")).otherwise(pl.col("item"))
        parts = held.select(start.alias("predictor"), end.alias("outcome"), pl.col("loading").alias("estimate"),
                            *numbers[1:])  # fmt: skip
        paths = pl.concat([paths, parts])
    apart = (pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)
    return paths.with_columns(significant=apart.fill_null(value=False))


def _nodes(run: CardRun) -> pl.DataFrame:
    """Constructs with their index and the share explained, in the first cell."""
    shares = dict(_first(run, run.r2).select("construct", "r2").iter_rows()) if run.r2.height else {}
    levels = {}
    if run.index is not None:
        levels = dict(_first(run, run.index.table).select("construct", "index").iter_rows())
    names = list(run.model.names)
    return pl.DataFrame(
        {"construct": names, "index": [levels.get(n) for n in names], "r2": [shares.get(n) for n in names]},
        schema={"construct": pl.String, "index": pl.Float64, "r2": pl.Float64},
    )
