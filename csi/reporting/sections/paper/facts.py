"""What several sections of a paper ask of an analysis: how many answers, parameters, absences."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from csi.errors import Text
from csi.estimate.estimate import Estimate
from csi.reporting.analysis import Analysis
from csi.reporting.section import Column, Table
from csi.reporting.sections.items import focal_rows
from csi.reporting.sections.model import cell_of
from csi.sem.fitted import Fitted

Fact = tuple[Text, Text]
"""What, and how it is."""


def listing(name: str, title: Text, facts: Sequence[Fact], anchors: Sequence[str] = ()) -> Table:
    """Facts as a list of two columns, such as the method box."""
    keys = [f"{i:02d}" for i in range(len(facts))]
    frame = pl.DataFrame({"what": [f"what {k}" for k in keys], "how": [f"how {k}" for k in keys]})
    texts = {f"what {k}": what for k, (what, _) in zip(keys, facts, strict=True)}
    texts |= {f"how {k}": how for k, (_, how) in zip(keys, facts, strict=True)}
    columns = (Column("what", Text("What", "项目")), Column("how", Text("How", "说明")))
    return Table(name, title, frame, columns, texts=texts, anchors=tuple(anchors))


def used(a: Analysis) -> int:
    """Answers behind the focal brand's model."""
    return round(float(cell_of(a).estimate.moments.n[0]))


def fitted_of(est: Estimate) -> Fitted | None:
    """The covariance fit behind an estimate; None of composites."""
    found = est.extra.get("sem")
    return found if isinstance(found, Fitted) else None


def degrees(est: Estimate) -> int:
    """Degrees of freedom of a covariance fit."""
    found = fitted_of(est)
    return 0 if found is None else int(found.df)


def absent_share(a: Analysis) -> float:
    """The share of absent answers to the model's items among those that were asked for."""
    mine, reasons = focal_rows(a), a.panel.reasons
    items = [i for i in a.model.items if i in mine.columns]
    asked = mine.height * len(items)
    if reasons.height == a.panel.frame.height:
        here = reasons.filter((a.panel.frame["brand"] == a.focal) & (a.panel.frame["wave"] == a.wave))
        spared = sum(int((here[i] == "not_asked").sum()) for i in items if i in here.columns)
    else:
        spared = 0
    gone = sum(mine[i].null_count() for i in items) - spared
    return gone / max(asked - spared, 1)
