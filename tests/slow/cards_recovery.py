"""Does every model card, fitted to answers of a population in which it holds, find what it finds in that population?

For every card and engine: 300 panels of 500 respondents from `csi.simulation.recipe_of_card` (a composite population
for PLS, a factor population for consistent PLS and covariance models). Truth is the same engine on the exact moments of
the answers (never the planted numbers, which neither PLS nor answers in steps keep). Gate: the mean of every path over
the panels is within .02 of the truth, whose signs are the card's, and at least 95 % of the panels have a solution.

python tests/slow/cards_recovery.py        (writes cards_recovery.csv beside it; about four minutes)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

import csi
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.models.model import Model
from csi.simulation import population_moments, recipe_of_card, simulate

HERE = Path(__file__).parent
PANELS, SIZE, SEED = 300, 500, 20260701
WITHIN = 0.02
"""Largest mean bias of a standardised path."""
SOLVED = 0.95
"""Least share of panels with a solution."""
ENGINES = {
    "pls": (csi.PLS(), "composite"),
    "plsc": (csi.PLS(consistent=True), "factor"),
    "cb": (csi.SEM(), "factor"),
}


def recovery(card: Card, engine: str, panels: int = PANELS, size: int = SIZE, seed: int = SEED) -> pl.DataFrame:
    """Mean of every path over the panels beside its truth.

    Returns:
        card, engine, outcome, predictor, sign, truth, mean, bias, sd, mc_error, panels (with a solution).
    """
    estimator, population = ENGINES[engine]
    recipe = recipe_of_card(card, n=panels * size, seed=seed, population=population)
    items = {n: [i.name for i in recipe.items if i.of == n] for n, b in card.constructs.items() if not b.of}
    model = Model.card.of(card, items, covariance=engine == "cb")
    truth = csi.fit(model, population_moments(recipe), estimator).solution
    frame = simulate(recipe).frame.select(model.items).with_columns(panel=pl.int_range(pl.len()) // size)
    est = csi.fit(model, frame.with_columns(pl.col("panel").cast(pl.String)), estimator, by="panel")
    kept = est.convergence.converged
    names = est.solution.constructs
    rows = []
    for path in model.paths:
        at = names.index(path.outcome), names.index(path.predictor.name)
        values, true = est.solution.paths[kept][:, at[0], at[1]], float(truth.paths[0, at[0], at[1]])
        sd = float(values.std(ddof=1))
        rows.append((card.id, engine, path.outcome, path.predictor.name, path.sign, true, float(values.mean()),
                     float(values.mean()) - true, sd, sd / np.sqrt(len(values)), len(values)))  # fmt: skip
    columns = ["card", "engine", "outcome", "predictor", "sign", "truth", "mean", "bias", "sd", "mc_error", "panels"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def failures(table: pl.DataFrame, panels: int = PANELS) -> list[str]:
    """What does not meet the gates."""
    found = []
    for row in table.iter_rows(named=True):
        name = f"{row['card']} ({row['engine']}): {row['outcome']} ~ {row['predictor']}"
        if abs(row["bias"]) > WITHIN:
            found.append(f"{name} is off by {row['bias']:.3f}")
        if row["panels"] < SOLVED * panels:
            found.append(f"{name}: {panels - row['panels']} panels without a solution")
        if (row["sign"] == "+" and row["truth"] <= 0) or (row["sign"] == "-" and row["truth"] >= 0):
            found.append(f"{name} has the other sign in the population")
    return found


def study() -> pl.DataFrame:
    """Every card by every engine that can fit it."""
    cards = [read_card(name) for name in card_names()]
    return pl.concat([recovery(card, engine) for card in cards for engine in card.engines])


def main() -> None:
    """Make the table and say what fails."""
    table = study()
    table.with_columns(pl.col(pl.Float64).round(5)).write_csv(HERE / "cards_recovery.csv")
    print(table.group_by("card", "engine", maintain_order=True).agg(pl.len(), pl.col("bias").abs().max()))
    failed = failures(table)
    print("\n".join(failed) or "every gate is met")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
