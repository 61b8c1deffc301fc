"""The numbers of a validation that its record keeps, so that two validations can be laid side by side (`csi diff`)."""

from __future__ import annotations

from collections.abc import Iterator

from csi.measures.questionnaire.validate import Validation

FIT = ("cfi", "rmsea", "srmr")


def recorded(v: Validation) -> list[dict[str, object]]:
    """Answers and fit; omega and alpha of scales; loadings and item-rest correlations; HTMT of pairs.

    Example:
        >>> import polars as pl
        >>> from csi.measures.questionnaire.validate import validated
        >>> frame = pl.DataFrame({f"q{k}": [1, 2, 3, 4, 5, 3 + k % 2] * 8 for k in range(3)})
        >>> sorted(recorded(validated(frame, {"trust": ["q0", "q1", "q2"]}, draws=0))[1])
        ['alpha', 'construct']
    """
    return [{name: x for name, x in row.items() if x is not None} for row in _rows(v)]


def _rows(v: Validation) -> Iterator[dict[str, object]]:
    measures = {} if v.factors is None else v.factors.measures
    yield {"n": v.answers.rows.shape[0], **{name: measures[name] for name in FIT if name in measures}}
    if v.consistency is not None:
        for name in v.answers.scales:
            omega, alpha = v.consistency.value(name, "omega_total", "implied"), v.consistency.value(name, "alpha")
            yield {"construct": name, "omega": omega, "alpha": alpha}
    if v.items is not None:
        yield from v.items.table.select("construct", "item", "item_rest").iter_rows(named=True)
    if v.factors is not None:
        yield from v.factors.loadings.select("construct", "item", "loading").iter_rows(named=True)
    if v.discriminant is not None:
        for one, other, htmt in v.discriminant.table.select("construct", "other", "htmt").iter_rows():
            yield {"construct": one, "against": other, "htmt": htmt}
