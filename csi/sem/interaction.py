"""Latent interactions `y ~ a + b + a:b` by products of indicators: columns of products measure the product construct.

    double mean centred   (x - mean x)(z - mean z), then less its own mean
    orthogonal            x z less its regression on all indicators of a and b (residual centring)

Both are linear in [x, z, x z], so every slice of a stack (each resample with its own means) is one matrix product away
from moments formed once.

Source:
    Lin, Wen, Marsh & Lin (2010), Structural Equation Modeling 17(3) (double mean centring); Marsh, Wen & Hau (2004),
    Psychological Methods 9(3) (matched pairs); Little, Bovaird & Widaman (2006), Structural Equation Modeling 13(4).

Letters: `p` items, `r` products, `b` slices, `B` slices of one cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement, product
from typing import Literal

import numpy as np

from csi.errors import Note, Problem, note, problem
from csi.models.nouns import Claim, Construct, Covariance, Modifier, Term
from csi.moments.pearson import cell_moments, interleaved
from csi.moments.stack import Array, Moments, RowPass

Interaction = Literal["double-mean-centred", "orthogonal", "lms"]
Pairs = Literal["matched", "all"]


@dataclass(frozen=True, slots=True)
class Product:
    """A product construct: its name, its two parts, the pairs of items that are multiplied, all items of the parts.

    Example:
        >>> Product("a:b", ("a", "b"), (("x1", "z1"),), ("x1", "z1")).columns
        ('x1:z1',)
    """

    name: str
    parts: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    items: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the product columns."""
        return tuple(f"{x}:{z}" for x, z in self.pairs)


def indicators(claim: Claim, part: str) -> tuple[str, ...]:
    """The items of a part of a product; an observed variable is its own.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> indicators(parse_claim("a =~ x1 + x2; y ~ a + z + a:z"), "z")
        ('z',)
    """
    return claim[part].items if part in claim.names else (part,)


def products_of(claim: Claim, pairs: Pairs | None = None) -> tuple[Product, ...]:
    """The product constructs of a model with the items to multiply.

    Parameters:
        pairs: "matched" (first with first, ...), "all", or None: matched where both parts have as many items.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> claim = parse_claim("a =~ x1 + x2; b =~ z1 + z2; y ~ a + b + a:b")
        >>> products_of(claim)[0].columns
        ('x1:z1', 'x2:z2')
    """
    return tuple(_product(claim, c, pairs) for c in claim.constructs if c.product_of)


def _product(claim: Claim, construct: Construct, pairs: Pairs | None) -> Product:
    """One product construct."""
    x, z = (indicators(claim, part) for part in construct.product_of[:2])
    own = tuple(dict.fromkeys((*x, *z)))
    if pairs == "all" or len(x) != len(z):
        every = combinations_with_replacement(x, 2) if x == z else product(x, z)
        return Product(construct.name, construct.product_of, tuple(every), own)
    return Product(construct.name, construct.product_of, tuple(zip(x, z, strict=True)), own)


def interaction_problems(claim: Claim, pairs: Pairs | None, ordered: Sequence[str], *, rows: bool) -> list[Problem]:
    """What keeps products of indicators from being formed, all at once.

    Parameters:
        rows: whether the moments know their rows.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> claim = parse_claim("a =~ x1 + x2; b =~ z1 + z2; y ~ a + b + a:b")
        >>> [p.code for p in interaction_problems(claim, None, (), rows=False)]
        ['E-ROWS']
    """
    return [p for c in claim.constructs if c.product_of for p in _problems(claim, c, pairs, set(ordered), rows=rows)]


def _problems(
    claim: Claim, construct: Construct, pairs: Pairs | None, ordered: set[str], *, rows: bool
) -> Iterator[Problem]:
    """One product construct."""
    where, parts = f'interaction "{construct.name}"', construct.product_of
    if not rows:
        en, zh = "products need the rows, and there are moments alone.", "交互项需要原始数据行，而只有矩。"
        yield problem("E-ROWS", where, en, zh, "Fit it from a panel or a frame.", "请用面板或数据框拟合。")
    if len(parts) != 2:
        en = f"it has {len(parts)} parts; products of indicators are formed for two."
        zh = f"该交互项有 {len(parts)} 个成分；指标乘积法只适用于两个成分。"
        do, do_zh = "Write interactions of two constructs.", "请写成两个构念的交互项。"
        yield problem("E-INTERACTION", where, en, zh, do, do_zh)
        return
    measured = {n: indicators(claim, n) for n in parts}
    above = [n for n, items in measured.items() if not items or set(items) & set(claim.names)]
    if above:
        en = f"{above[0]} has no observed items of its own to multiply."
        zh = f"{above[0]} 没有可供相乘的观测题项。"
        do, do_zh = "Use an interaction of first-order constructs.", "请使用一阶构念的交互项。"
        yield problem("E-INTERACTION", where, en, zh, do, do_zh)
    held = [i for items in measured.values() for i in items if i in ordered]
    if held:
        en = f"item {held[0]} is ordinal; products are of continuous answers."
        zh = f"题项 {held[0]} 为有序题项；乘积只适用于连续回答。"
        do, do_zh = "Leave it out of ordered=.", "请勿将其列入 ordered=。"
        yield problem("E-INTERACTION", where, en, zh, do, do_zh)
    counts = [len(items) for items in measured.values()]
    if pairs == "matched" and len(set(counts)) > 1:
        en = f"{parts[0]} has {counts[0]} items and {parts[1]} {counts[-1]}: they cannot be matched one to one."
        zh = f"{parts[0]} 有 {counts[0]} 个题项，{parts[1]} 有 {counts[-1]} 个，无法一一配对。"
        yield problem("E-INTERACTION", where, en, zh, 'Use pairs="all".', '请用 pairs="all"。')


def with_products(claim: Claim, products: Sequence[Product], way: Interaction) -> Claim:
    """The same model with product columns as the indicators of its product constructs.

    Columns that share an item have correlated residuals. Orthogonal products do not covary with their parts.

    Example:
        >>> from csi.models.syntax.build import parse_claim
        >>> claim = parse_claim("a =~ x1 + x2; b =~ z1 + z2; y ~ a + b + a:b")
        >>> with_products(claim, products_of(claim), "orthogonal")["a:b"].items
        ('x1:z1', 'x2:z2')
    """
    known = {p.name: p for p in products}
    constructs = tuple(
        replace(c, indicators=tuple(Term(n) for n in known[c.name].columns), product_of=(), operator="=~")
        if c.name in known
        else c
        for c in claim.constructs
    )
    covariances = list(claim.covariances)
    for p in products:
        for (a, pair), (b, other) in combinations(zip(p.columns, p.pairs, strict=True), 2):
            if set(pair) & set(other):
                covariances.append(Covariance(a, Term(b)))
        if way == "orthogonal":
            outcomes = {path.outcome for path in claim.paths}
            zero = (Modifier(fixed=0.0),)
            exogenous = [n for n in dict.fromkeys(p.parts) if n in claim.names and n not in outcomes]
            covariances += [Covariance(p.name, Term(n, zero)) for n in exogenous]
    return replace(claim, constructs=constructs, covariances=tuple(covariances))


def product_moments(moments: Moments, products: Sequence[Product], way: Interaction) -> Moments:
    """Moments with the product columns after the items; every slice centres them anew.

    Parameters:
        moments: a stack that knows its rows. products: r columns in all.

    Example:
        >>> import polars as pl
        >>> from csi.moments.pearson import moments_of
        >>> from csi.moments.sample import sample_of
        >>> m = moments_of(sample_of(pl.DataFrame({"x": [1, 2, 3, 6], "z": [1, 3, 2, 4]}), ["x", "z"]))
        >>> both = product_moments(m, [Product("a:b", ("a", "b"), (("x", "z"),), ("x", "z"))], "orthogonal")
        >>> both.names, bool(np.abs(both.cov[0, 2, :2]).max() < 1e-12)
        (('x', 'z', 'x:z'), True)
    """
    if moments.parts:
        parts = [product_moments(part, products, way) for part in moments.parts]
        whole = Moments.grouped(dict(zip(moments.groups, parts, strict=True)))
        return replace(whole, cells=moments.cells, notes=moments.notes)
    kept = moments.rows
    if kept is None:
        return moments
    names = (*moments.names, *dict.fromkeys(c for p in products for c in p.columns))
    done = [_cell(r, W, moments, names, products, way) for r, W in zip(kept.rows, kept.weights, strict=True)]
    mean, cov = (interleaved([d[i] for d in done]) for i in (0, 1))
    unknown = np.full(len(names) - len(moments.names), np.nan)
    return replace(
        moments,
        names=names,
        mean=mean,
        cov=cov,
        minimum=np.concatenate([moments.minimum, unknown]),
        maximum=np.concatenate([moments.maximum, unknown]),
        rows=RowPass(tuple(d[2] for d in done), kept.weights, kept.units),
    )


def _cell(
    rows: Array, W: Array, moments: Moments, names: tuple[str, ...], products: Sequence[Product], way: Interaction
) -> tuple[Array, Array, Array]:
    """Means (B, p + r) and covariances of one cell, and its rows with the products of the first slice."""
    item = {n: i for i, n in enumerate(moments.names)}
    p = len(item)
    centre = np.nanmean(rows, axis=0)
    u = rows - centre
    pairs = {c: pair for product_ in products for c, pair in zip(product_.columns, product_.pairs, strict=True)}
    raw = np.stack([u[:, item[pairs[c][0]]] * u[:, item[pairs[c][1]]] for c in names[p:]], axis=1)
    _, _, _, mean, cov = cell_moments(np.concatenate([u, raw], axis=1), W, moments.missing)
    T = np.broadcast_to(np.eye(len(names)), cov.shape).copy()
    parts = {c: product_.items for product_ in products for c in product_.columns}
    for row, c in enumerate(names[p:], start=p):
        if way == "orthogonal":
            at = [item[n] for n in parts[c]]
            T[:, row, at] = -np.linalg.solve(cov[:, at][:, :, at], cov[:, at, row, None])[:, :, 0]
        else:
            x, z = (item[n] for n in pairs[c])
            T[:, row, x] -= mean[:, z]
            T[:, row, z] -= mean[:, x]
    level = (T @ mean[:, :, None])[:, :, 0]
    level[:, p:] = 0.0
    level[:, :p] += centre
    whole = np.concatenate([u, raw], axis=1) @ T[0].T
    whole[:, p:] -= (T[0] @ mean[0])[p:]
    whole[:, :p] = rows
    return level, T @ cov @ T.swapaxes(1, 2), whole


def told(products: Sequence[Product], way: Interaction) -> tuple[Note, ...]:
    """How the interactions were estimated."""
    if not products:
        return ()
    listed = ", ".join(p.name for p in products)
    count = sum(len(p.columns) for p in products)
    ways = {
        "double-mean-centred": ("double mean centred products of indicators", "双重均值中心化的指标乘积"),
        "orthogonal": ("residual-centred (orthogonalised) products of indicators", "残差中心化（正交化）的指标乘积"),
        "lms": ("latent moderated structural equations (LMS)", "潜变量调节结构方程法（LMS）"),
    }
    en, zh = ways[way]
    if way == "lms":
        return (note("N-INTERACTION", f"{listed} by {en}.", f"{listed} 采用{zh}。"),)
    return (
        note(
            "N-INTERACTION",
            f"{listed} by {en}, {count} columns; standardised columns treat the product as a variable of its own.",
            f"{listed} 采用{zh}，共 {count} 列；标准化列将乘积视为独立变量。",
        ),
    )
