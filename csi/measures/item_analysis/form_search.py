"""The best shorter forms of one construct, of all its answers and of every training set, with what they keep elsewhere.

Letters: `n` rows, `p` items, `m` folds times repetitions, `c` cells, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csi.measures.item_analysis.fold_moments import Sums, fold_sums
from csi.measures.item_analysis.form_measures import Worth, held_worth, worth_of
from csi.measures.item_analysis.subsets import LIMIT, Flags, Rules, downwards, every_form
from csi.measures.pairwise import pairwise_moments
from csi.moments.stack import Array, Ints

Criterion = Mapping[str, float]
"""What a form is worth: weights of "correlation", "reliability" and "differences"."""

_OF = {"correlation": "r", "reliability": "alpha", "differences": "kept"}


@dataclass(frozen=True, slots=True)
class Length:
    """The forms of one length.

    Attributes:
        form: (p,) the best one to all answers. how: "exhaustive" or "beam". picks: (m, p) the best one to each training
            set. here: its worth to all answers (1, 1). trained: (m, 1) worth of the picks to their training set.
            held: (R, 1) their worth to the folds held out, repetition by repetition.
    """

    form: Flags
    how: str
    picks: Flags
    here: Worth
    trained: Worth
    held: Worth


def lengths_of(
    rows: Array, weight: Array, fold: Ints, cell: Ints, rules: Rules, criterion: Criterion
) -> dict[int, Length]:
    """Length -> the forms found; lengths that the rules leave no form of are absent.

    Parameters:
        rows: (n, p). weight: (n,). fold: (R, n) from 0. cell: (n,) from 0, -1 for none.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> rows = rng.normal(size=(200, 1)) + rng.normal(size=(200, 4)) * [0.5, 0.5, 3.0, 3.0]
        >>> fold, cell = np.arange(200)[None] % 5, np.full(200, -1)
        >>> found = lengths_of(rows, np.ones(200), fold, cell, Rules(4), {"reliability": 1.0})
        >>> found[2].form.tolist(), found[2].picks.all(axis=0).tolist()
        ([True, True, False, False], [True, True, False, False])
    """
    centre = weighted_means(rows, weight)
    z = rows - centre
    cells = int(cell.max(initial=-1)) + 1
    K = int(fold.max()) + 1
    held = fold_sums(z, weight, fold, cell, cells)
    whole = held.total(K)
    trained = _repeated(whole, len(held.count)).less(held)
    cov = np.concatenate([whole.cov(), trained.cov()])
    means = np.concatenate([whole.means(), trained.means()]) + centre if cells > 1 else None
    tests = held.means() + centre if cells > 1 else None
    found = {}
    for k, (forms, how) in _best(rules, cov, means, criterion).items():
        pick = forms[1:, None]
        found[k] = Length(
            form=forms[0],
            how=how,
            picks=forms[1:],
            here=worth_of(cov[:1], forms[:1, None], None if means is None else means[:1]),
            trained=worth_of(cov[1:], pick, None if means is None else means[1:]),
            held=held_worth(held.about_zero(), pick, K, tests),
        )
    return found


def _repeated(sums: Sums, m: int) -> Sums:
    return Sums(
        *(np.broadcast_to(part, (m, *part.shape[1:])) for part in (sums.count, sums.both, sums.one, sums.cross)),
        *(np.broadcast_to(part, (m, *part.shape[1:])) for part in (sums.top, sums.mass)),
    )


def weighted_means(rows: Array, weight: Array) -> Array:
    """(p,) weighted means of the answers there are.

    Example:
        >>> weighted_means(np.array([[1.0], [4.0], [np.nan]]), np.array([2.0, 1.0, 1.0])).tolist()
        [2.0]
    """
    here = ~np.isnan(rows)
    return np.asarray((weight @ np.nan_to_num(rows)) / np.maximum(weight @ here, 1e-300))


def _best(rules: Rules, cov: Array, means: Array | None, criterion: Criterion) -> dict[int, tuple[Flags, str]]:
    """Length -> (b, p) the best form to each slice, and how it was found."""
    found, far = {}, []
    for k in range(2, rules.p):
        if rules.count(k) > LIMIT:
            far.append(k)
            continue
        forms = every_form(rules, k)
        if not len(forms):
            continue
        worth = _worth(worth_of(cov, forms, means), criterion)
        found[k] = (forms[np.argmax(np.where(np.isnan(worth), -np.inf, worth), axis=1)], "exhaustive")
    if far:
        beam = downwards(rules, len(cov), lambda forms: _worth(worth_of(cov, forms, means), criterion), far)
        found |= {k: (forms, "beam") for k, forms in beam.items()}
    return dict(sorted(found.items()))


def _worth(worth: Worth, criterion: Criterion) -> Array:
    """(b, s) the weighted sum of what is asked for."""
    parts = [weight * getattr(worth, _OF[name]) for name, weight in criterion.items() if weight]
    return np.asarray(np.sum(parts, axis=0))


def drawn(rows: Array, weights: Iterable[Array], forms: Sequence[Flags]) -> tuple[Array, Array]:
    """(B, s) alpha and corrected correlation of given forms under replicate weights.

    Parameters:
        rows: (n, p). weights: blocks (B', n). forms: s of (p,).

    Example:
        >>> rows = np.random.default_rng(1).normal(size=(50, 3))
        >>> [part.shape for part in drawn(rows, [np.ones((4, 50))], [np.array([True, True, False])])]
        [(4, 1), (4, 1)]
    """
    together = np.stack(forms)
    worth = [worth_of(pairwise_moments(rows, W)[1], together) for W in weights]
    return np.concatenate([w.alpha for w in worth]), np.concatenate([w.r for w in worth])
