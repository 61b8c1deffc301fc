"""Answers to two forms of a questionnaire with three common items and one that changed: for tests and for lavaan."""

import numpy as np
import polars as pl

ITEMS = ("a", "b", "c", "d")
LOADING = np.array([[1.5, 1.3, 1.6, 1.2], [1.5, 1.3, 1.6, 1.7]])
INTERCEPT = np.array([[6.2, 6.0, 6.4, 6.6], [6.2, 6.0, 6.4, 5.1]])
RESIDUAL = np.array([1.1, 1.2, 1.0, 1.3])


def form(rng, n, which, mean, spread=1.0):
    """Continuous answers of n respondents to the old (0) or the new (1) form."""
    factor = mean + spread * rng.normal(size=(n, 1))
    return INTERCEPT[which] + LOADING[which] * factor + RESIDUAL * rng.normal(size=(n, 4))


def drawn(*, absent=0.0):
    """Old and new form of 500 and 450 others, on 1 to 10; a share of the answers absent."""
    rng = np.random.Generator(np.random.PCG64(20261122))
    made = [
        np.clip(np.round(form(rng, n, g, m, s)), 1, 10) for g, (n, m, s) in enumerate([(500, 0, 1), (450, 0.3, 1.1)])
    ]
    for rows in made if absent else ():
        rows[rng.uniform(size=rows.shape) < absent] = np.nan
    return [pl.DataFrame(rows, schema=list(ITEMS)) for rows in made]


def written(path, *, absent=0.0):
    """Both forms in one CSV, `form` 1 and 2."""
    old, new = drawn(absent=absent)
    both = pl.concat([old.with_columns(form=pl.lit(1)), new.with_columns(form=pl.lit(2))])
    both.fill_nan(None).write_csv(path, null_value="NA")
