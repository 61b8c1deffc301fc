"""Where the constructs of a model stand when its card does not say: layers from causes to outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Place = tuple[float, float]


def layered(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, Place]:
    """Positions on a unit grid, x from cause to outcome, y downwards, rows centred on each other.

    A construct stands one column right of its furthest cause; causes of a later column are drawn up to it; within a
    column the order follows the mean height of the neighbours (barycentre, four sweeps); lone
    constructs stand alternately higher and lower, so that longer arrows pass them by. Arrows that close a cycle
    are left out of the layering.

    Parameters:
        names: constructs in order of appearance.
        arrows: (predictor, outcome).

    Returns:
        {construct: (x, y)}.

    Source: Sugiyama, Tagawa & Toda (1981), layering and barycentre ordering.

    Example:
        >>> layered(["a", "b", "c"], [("a", "b"), ("b", "c")])
        {'a': (0.0, 0.0), 'b': (1.0, 0.9), 'c': (2.0, 0.0)}
    """
    kept = _without_cycles(names, arrows)
    column = _columns(names, kept)
    rows = _rows(names, kept, column)
    return {n: (float(column[n]), rows[n]) for n in names}


def complete(names: Sequence[str], arrows: Sequence[tuple[str, str]], layout: Mapping[str, Place]) -> dict[str, Place]:
    """The given layout, or the layered one where any construct has no place in it.

    Example:
        >>> complete(["a"], [], {"a": (3.0, 1.0)})
        {'a': (3.0, 1.0)}
    """
    if all(n in layout for n in names):
        return {n: (float(layout[n][0]), float(layout[n][1])) for n in names}
    return layered(names, arrows)


def _without_cycles(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Arrows in order, each dropped that would lead back to its own beginning."""
    kept: list[tuple[str, str]] = []
    reached = {n: {n} for n in names}
    for start, end in arrows:
        if start in reached and end in reached and start not in reached[end]:
            kept.append((start, end))
            reached = {n: ends | reached[end] if start in ends else ends for n, ends in reached.items()}
    return kept


def _columns(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    column = dict.fromkeys(names, 0)
    for _ in names:
        for start, end in arrows:
            column[end] = max(column[end], column[start] + 1)
    starts = {end for _, end in arrows}
    for name in names:
        outcomes = [column[end] for start, end in arrows if start == name]
        if name not in starts and outcomes:
            column[name] = min(outcomes) - 1
    return column


def _rows(names: Sequence[str], arrows: Sequence[tuple[str, str]], column: Mapping[str, int]) -> dict[str, float]:
    layers = [[n for n in names if column[n] == c] for c in range(max(column.values(), default=0) + 1)]
    row = {n: i - (len(layer) - 1) / 2 for layer in layers for i, n in enumerate(layer)}
    for sweep in range(4):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            near = {n: [row[a if b == n else b] for a, b in arrows if n in (a, b)] for n in layer}
            layer.sort(key=lambda n: (sum(near[n]) / len(near[n]) if near[n] else row[n], row[n]))
            row |= {n: i - (len(layer) - 1) / 2 for i, n in enumerate(layer)}
    for place, layer in enumerate(layers):
        if len(layer) == 1 and len(layers) > 2:
            row[layer[0]] += 0.45 if place % 2 else -0.45
    top = min(row.values(), default=0)
    return {n: row[n] - top for n in names}
