"""Settings that are no whole numbers, levels that are no numbers: one kind of problem, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Problems

RNG = np.random.default_rng(4)
SCORE = RNG.normal(size=(80, 1))
FRAME = pl.DataFrame(50 + 5 * (SCORE + 0.6 * RNG.normal(size=(80, 4))), schema=["a1", "a2", "b1", "b2"])
GROUPED = FRAME.with_columns(g=pl.Series(["east", "west"] * 40))
EST = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", FRAME, csi.PLS())
BY = csi.fit("a =~ a1 + a2; b =~ b1 + b2; b ~ a", GROUPED, csi.PLS(), by="g")
BENT = csi.fit("a =~ a1; z =~ a2; b =~ b1 + b2; b ~ a + z + a:z", FRAME, csi.PLS())
SEM = csi.fit("f =~ a1 + a2 + b1 + b2", FRAME, csi.SEM())

ASKED: list[tuple[str, Callable[[Any], Any], list[Any]]] = [
    ("n", lambda v: csi.bootstrap(EST, v), [150.5, None, "200", True]),
    ("seed", lambda v: csi.bootstrap(EST, 200, v), [1.5, None, "1", -1]),
    ("level", lambda v: csi.bootstrap(EST, 200, level=v), ["95", None, float("nan")]),
    ("level", lambda v: csi.jackknife(EST, level=v), ["95"]),
    ("n", lambda v: csi.exact_fit(EST, n=v), [150.5, None]),
    ("seed", lambda v: csi.exact_fit(EST, n=100, seed=v), [1.5, None]),
    ("n", lambda v: csi.bollen_stine(SEM, n=v), [150.5, None]),
    ("permutations", lambda v: csi.micom(BY, permutations=v), [199.5, "199"]),
    ("alpha", lambda v: csi.micom(BY, permutations=199, alpha=v), ["0.05", None]),
    ("m", lambda v: csi.impute(FRAME, m=v), [2.5, None]),
    ("seed", lambda v: csi.impute(FRAME, m=2, seed=v), [1.5]),
    ("permutations", lambda v: csi.nca(EST, "b", permutations=v), [999.5, None]),
    ("repetitions", lambda v: csi.cvpat(EST, repetitions=v), [1.5, None]),
    ("n", lambda v: csi.cta(EST, n=v), [150.5]),
    ("p", csi.adjust, ["abc", [None, "x"]]),
    ("at", lambda v: csi.simple_slopes(BENT, at=v), [(), (float("nan"),), ("1",), 1.0]),
]


@pytest.mark.parametrize(("place", "ask", "value"), [(p, f, v) for p, f, values in ASKED for v in values])
def test_a_setting_of_the_wrong_kind_is_a_problem(place: str, ask: Callable[[Any], Any], value: Any) -> None:
    """E-SETTING names the setting."""
    with pytest.raises(Problems) as raised:
        ask(value)
    assert (place, "E-SETTING") in {(p.where, p.code) for p in raised.value.problems}


def test_whole_numbers_of_numpy_are_whole() -> None:
    """What arithmetic on arrays gives is accepted."""
    boot = csi.bootstrap(EST, int(np.int64(200)), np.int64(3))  # type: ignore[arg-type]
    assert boot.replicates is not None
    assert csi.bootstrap(EST, 200, 3).table.equals(boot.table)
