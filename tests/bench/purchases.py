"""How long a million purchases take to become a BG/NBD model: `python tests/bench/purchases.py [CUSTOMERS]`.

Prints the processor seconds of each step and their sum; the aim is below 10 seconds for a million events.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import polars as pl

from csi.behaviour.bgnbd import bgnbd
from csi.behaviour.buying import customers
from csi.survey.events import read_events

DAYS = 730
"""Observed."""


def log(many: int) -> pl.DataFrame:
    """Purchases of customers over two years: of the model itself."""
    rng = np.random.default_rng(1)
    first, rate, leave = rng.integers(0, 200, many), rng.gamma(0.7, 1 / 20, many), rng.beta(0.9, 3.0, many)
    who, day = [np.arange(many)], [first]
    time, here = first.astype(float), np.arange(many)
    while len(here):
        time = time + rng.exponential(1 / np.maximum(rate[here], 1e-9)).clip(1.0)
        kept = time < DAYS
        here, time = here[kept], time[kept]
        who.append(here)
        day.append(time.astype(int))
        stays = rng.uniform(size=len(here)) > leave[here]
        here, time = here[stays], time[stays]
    who, day = np.concatenate(who), np.concatenate(day)
    amount = rng.gamma(5, 8, len(who)).round(2)
    return pl.DataFrame(
        {"id": who, "date": np.datetime64("2024-01-01") + day.astype("timedelta64[D]"), "amount": amount}
    )


def main(many: int) -> None:
    """Print the steps."""
    rows = log(many)
    started = time.process_time()
    events = read_events(rows, "purchases")
    read = time.process_time()
    people = customers(events)
    told = time.process_time()
    found = bgnbd(events)
    done = time.process_time()
    print(f"{rows.height:,} purchases of {people.height:,} customers")
    print(f"read {read - started:.2f} s, per customer {told - read:.2f} s, model {done - told:.2f} s")
    print(f"all {done - started:.2f} s; {found.table['estimate'].round(3).to_list()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 147_000)
