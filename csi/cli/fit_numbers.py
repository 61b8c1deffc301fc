"""What every `csi fit MODEL DATA` tells, whichever the estimator: its heading, its cells, its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from csi.errors import Language, Reason, Text
from csi.estimate.estimate import Estimate


def heading(est: Estimate, file: str, study: Path, lang: Language) -> str:
    """What was fitted to what: model, data, estimator."""
    model = "" if "~" in str(study) else f"{study.name} · "
    cells = (
        "" if len(est.values) == 1 else Text(f" · {len(est.values)} cells", f" · {len(est.values)} 个单元").say(lang)
    )
    return f"{model}{file} · {est.settings.name}{cells}"


def cells(est: Estimate) -> pl.DataFrame:
    """One row per cell: n, whether and after how many iterations it converged, and why not."""
    ended = est.convergence
    why = [ended.reasons[i].text if i in ended.reasons else None for i in range(len(est.values))]
    return est.moments.cells.with_columns(
        pl.Series("converged", ended.converged),
        pl.Series("iterations", ended.iterations),
        pl.Series("reason", [None if t is None else t.en for t in why], dtype=pl.String),
        pl.Series("reason_zh", [None if t is None else t.zh for t in why], dtype=pl.String),
    )


def shown_parameters(est: Estimate, withheld: Mapping[int, Reason]) -> pl.DataFrame:
    """The parameters; the numbers of paths that are withheld are absent."""
    table = est.table
    numbers = [c for c in table.columns if table.schema[c].is_float()]
    k = table.height // len(est.values)
    hidden = pl.Series([row // k in withheld for row in range(table.height)]) & (table["op"] == "~")
    return table.with_columns(pl.when(~hidden).then(pl.col(c)).alias(c) for c in numbers)


def both(text: Text) -> dict[str, str]:
    """A text in both languages."""
    return {"en": text.en, "zh": text.zh}
