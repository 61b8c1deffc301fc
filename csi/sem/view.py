"""The rows a reader sees of a table with composites: weights and composite loadings, without what only writes them.

    c <~ x_j   w_j          from n_j =~ w_j*x_1
    c =~ x_j   lambda_j     from c =~ -lambda_j*n_j, and lambda_1 = 1/w_1 - sum_j (w_j/w_1) lambda_j

Without composites every row is shown as it is.

Letters: `t` rows of the table, `s` rows shown of them, `a` added rows (loadings of first items).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from csi.estimate.estimate import Row
from csi.moments.stack import Array, Ints
from csi.sem.composites import Composite
from csi.sem.implied import Implied, Values
from csi.sem.layout import Layout
from csi.sem.table import Parameter, Table


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is shown of a table.

    Attributes:
        rows: names of the s + a rows. take: (s,) rows of the table. factor: (s,) what their values are multiplied by.
        added: for each added row its group, composite, and the table's rows of weights and of loadings.
    """

    rows: tuple[Row, ...]
    take: Ints
    factor: Array
    added: tuple[tuple[int, Composite, Ints, Ints], ...]

    def values(self, table_rows: Values) -> Values:
        """(b, s + a) values shown, from (b, t) values of the table."""
        shown = table_rows[:, self.take] * self.factor
        if not self.added:
            return shown
        first = [1 / c.unit + (table_rows[:, w] * table_rows[:, v]).sum(axis=1) for _, c, w, v in self.added]
        return np.concatenate([shown, np.stack(first, axis=1)], axis=1)


@lru_cache(maxsize=64)
def view_of(table: Table) -> View:
    """What is shown of a table.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> from csi.sem.composites import composites_of, expanded
        >>> from csi.sem.table import Rules, table_of
        >>> claim = parse_claim("c <~ x1 + x2; y ~ c")
        >>> table = table_of(expanded(claim), Rules(composites=composites_of(claim)))
        >>> [f"{r.lhs} {r.op} {r.rhs}" for r in view_of(table).rows]
        ['c <~ x1', 'c <~ x2', 'c =~ x2', 'y ~ c', 'c ~~ c', 'y ~~ y', 'c =~ x1']
    """
    groups, made = table.rules.groups, table.rules.composites
    owner = {rest: (c, item) for c in made for rest, item in zip(c.rests, c.items[1:], strict=True)}
    named = {c.name: c for c in made}
    found = [(n, *shown) for n, row in enumerate(table.rows) if (shown := _shown(row, owner, named)) is not None]
    measured = {"<~": 0, "=~": 1}
    ordered: list[tuple[int, tuple[str, str, str], float]] = []
    for _, run in groupby(found, key=lambda f: (f[1][0] if f[1][0] in named else "", f[1][1] in measured)):
        ordered += sorted(run, key=lambda f: measured.get(f[1][1], 0))
    rows = [Row(*key, groups[r.group] if groups else None, _label(r)) for n, key, _ in ordered for r in [table.rows[n]]]
    added = [_first(table, g, c) for g in range(table.count) for c in made]
    rows += [Row(c.name, "=~", c.items[0], groups[g] if groups else None) for g, c, _, _ in added]
    take, factor = [n for n, _, _ in ordered], [by for _, _, by in ordered]
    return View(tuple(rows), np.array(take, dtype=np.int64), np.array(factor), tuple(added))


def _label(row: Parameter) -> str:
    """The label a model gave; labels that hold groups equal are not shown."""
    return "" if row.label.startswith(".") else row.label


def _shown(
    row: Parameter, owner: dict[str, tuple[Composite, str]], made: dict[str, Composite]
) -> tuple[tuple[str, str, str], float] | None:
    """The name under which a row is shown and its factor; None for rows that are not."""
    if row.lhs in owner:
        c, item = owner[row.lhs]
        weight = row.op == "=~" and row.rhs == c.items[0]
        return ((c.name, "<~", item), c.unit) if weight else None
    if row.op == "=~" and row.lhs in made:
        c = made[row.lhs]
        return (
            ((c.name, "<~", row.rhs), c.unit**2) if row.rhs == c.items[0] else ((c.name, "=~", owner[row.rhs][1]), -1.0)
        )
    exact = row.op == "~~" and row.lhs == row.rhs and any(row.lhs in c.items for c in made.values())
    return None if exact else (row.key, 1.0)


def _first(table: Table, g: int, c: Composite) -> tuple[int, Composite, Ints, Ints]:
    """What the loading of a composite's first item is made of in group `g`."""
    at = {r.key: n for n, r in enumerate(table.rows) if r.group == g}
    weights = [at[rest, "=~", c.items[0]] for rest in c.rests]
    loadings = [at[c.name, "=~", rest] for rest in c.rests]
    return g, c, np.array(weights, dtype=np.int64), np.array(loadings, dtype=np.int64)


def standardised_view(
    layout: Layout, at: tuple[Implied, ...], values: Array, table_rows: Array, *, items: bool
) -> Array:
    """(b, s + a) standardised values shown.

    A standardised weight is w_j sd(x_j) / sd(c), a standardised loading the correlation of item and composite.

    Parameters:
        at: implied moments of each group. values: (b, s + a) shown. table_rows: (b, t) standardised rows of the table.
        items: whether items have variance 1 too (std_all), or latents alone (std_lv).
    """
    view = view_of(layout.table)
    out = view.values(table_rows)
    made = {c.name: c for c in layout.table.rules.composites}
    if not made:
        return out
    spreads = [_spread(layout, g, one) for g, one in enumerate(at)]
    groups = layout.table.rules.groups
    for number, row in enumerate(view.rows):
        if row.lhs not in made or row.op not in {"<~", "=~"}:
            continue
        sd = spreads[groups.index(row.group) if row.group is not None else 0]
        item = sd[row.rhs] if items else 1.0
        ratio = sd[row.lhs] / item
        out[:, number] = values[:, number] * (ratio if row.op == "=~" else 1 / ratio)
    return out


def standardised_labels(table: Table, shown: Values, table_rows: Values) -> dict[str, Values]:
    """{label: (b,) standardised value of its first row}: as shown, a weight for the label of a weight.

    Parameters:
        shown: (b, s + a) standardised values shown. table_rows: (b, t) standardised rows of the table.
    """
    first: dict[str, Values] = {}
    for number, row in enumerate(view_of(table).rows):
        if row.label:
            first.setdefault(row.label, shown[:, number])
    for number, written in enumerate(table.rows):
        if written.label:
            first.setdefault(written.label, table_rows[:, number])
    return first


def _spread(layout: Layout, g: int, at: Implied) -> dict[str, Array]:
    """Implied standard deviation of every variable of a group."""
    block = layout.blocks[g]
    with np.errstate(invalid="ignore"):
        inner = np.sqrt(np.diagonal(at.Phi, axis1=1, axis2=2))
        outer = np.sqrt(np.diagonal(at.Sigma, axis1=1, axis2=2))
    return {n: outer[:, i] for i, n in enumerate(block.observed)} | {n: inner[:, j] for j, n in enumerate(block.latent)}
