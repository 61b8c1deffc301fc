"""PLS against seminr, semPLS, SmartPLS, plspm and cSEM on the ECSI data, from committed moments.

Provenance and tolerances: tests/reference/*/provenance.json. Everything must agree within 1e-6 at the default settings.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from csi.estimate.fit import fit
from csi.models.model import Model
from csi.moments.stack import Moments
from csi.pls.estimator import PLS

REFERENCE = Path(__file__).parent.parent / "reference"
CASES = list(product(("mobi", "satisfaction"), ("path", "factorial", "centroid"), "AB"))


def moments_case(data: str) -> Moments:
    saved = json.loads((REFERENCE / data / "moments.json").read_text("utf-8"))
    p, n = len(saved["names"]), float(saved["n"])
    return Moments(
        names=tuple(saved["names"]),
        n=np.array([n]),
        sum_w=np.array([n]),
        sum_w2=np.array([n]),
        mean=np.array([saved["mean"]], dtype=float),
        cov=np.array([saved["cov"]], dtype=float),
        cells=pl.DataFrame({"n": [int(n)]}),
        minimum=np.broadcast_to(np.asarray(saved["minimum"], dtype=float), (p,)),
        maximum=np.broadcast_to(np.asarray(saved["maximum"], dtype=float), (p,)),
    )


def model_case(data: str, mode: str) -> Model:
    text = (REFERENCE / data / "model.txt").read_text("utf-8")
    return Model.parse(text.replace("=~", "<~") if mode == "B" else text)


def programs() -> list[tuple[str, str, str, str]]:
    found = []
    for data, scheme, mode in CASES:
        saved = json.loads((REFERENCE / data / f"pls_{scheme}_{mode}.json").read_text("utf-8"))
        found += [(data, scheme, mode, name) for name in saved["programs"]]
    return found


@pytest.mark.parametrize(("data", "scheme", "mode", "program"), programs())
def test_agrees_with_other_programs(data: str, scheme: str, mode: str, program: str) -> None:
    saved = json.loads((REFERENCE / data / f"pls_{scheme}_{mode}.json").read_text("utf-8"))
    expected = saved["programs"][program]
    solution = fit(model_case(data, mode), moments_case(data), PLS(weighting=scheme)).solution
    assert list(solution.constructs) == saved["constructs"]
    assert list(solution.items) == saved["items"]
    ours = {
        "weights": solution.weights[0],
        "loadings": solution.loadings[0],
        "paths": solution.paths[0],
        "cross_loadings": solution.cross_loadings[0],
        "construct_cor": solution.construct_cor[0],
    }
    compared = [key for key in ours if key in expected]
    assert compared
    for key in compared:
        np.testing.assert_allclose(ours[key], np.array(expected[key], dtype=float), rtol=0, atol=1e-6, err_msg=key)
    if "r2" in expected:
        np.testing.assert_allclose(
            solution.r2[0], [np.nan if v is None else v for v in expected["r2"]], rtol=0, atol=1e-6
        )


def test_printed_numbers_of_methods_g1() -> None:
    """Half the last printed digit of the SmartPLS table (path weighting, mode A)."""
    table = fit(model_case("mobi", "A"), moments_case("mobi"), PLS()).table.filter(pl.col("op") == "~")
    found = {(r["rhs"], r["lhs"]): r["estimate"] for r in table.iter_rows(named=True)}
    assert found["Quality", "Satisfaction"] == pytest.approx(0.51202394, abs=5e-9)
    assert found["Image", "Satisfaction"] == pytest.approx(0.17873950, abs=5e-9)
    assert found["Complaints", "Loyalty"] == pytest.approx(0.06692607, abs=5e-9)
