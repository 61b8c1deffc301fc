"""Item statistics of psych::alpha beside the covariances they come from: CSI_REFERENCE_DIR=... python extract.py."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(os.environ["CSI_REFERENCE_DIR"])
HERE = Path(__file__).parent
REVERSED = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")
BFI = {"agree": "A", "conscientious": "C", "extraversion": "E", "neuroticism": "N", "openness": "O"}


def rows_of(name, items, *, turned=()):
    path = ROOT / "data" / name / f"{name}.csv"
    frame = pl.read_csv(path, infer_schema_length=None, null_values=["", "NA"])
    rows = frame.select(pl.col(items).cast(pl.Float64)).to_numpy().copy()
    rows[:, [i in turned for i in items]] = 7 - rows[:, [i in turned for i in items]]
    return rows, hashlib.sha256(path.read_bytes()).hexdigest()


def pairwise(rows):
    """Covariances of the rows that answer both items of a pair."""
    p = rows.shape[1]
    cov = np.empty((p, p))
    for i in range(p):
        for j in range(p):
            both = ~np.isnan(rows[:, [i, j]]).any(axis=1)
            cov[i, j] = np.cov(rows[both, i], rows[both, j])[0, 1]
    return cov


def case(name, found, *, turned=()):
    items = found["item_stats"]["item"]
    rows, sha = rows_of(name, items, turned=turned)
    return {
        "data": f"{name}.csv",
        "data_sha256": sha,
        "turned": [i for i in items if i in turned],
        "items": items,
        "cov": pairwise(rows).tolist(),
        "total": {k: found["total"][k] for k in ("raw_alpha", "std.alpha", "average_r")},
        "item_stats": found["item_stats"],
        "alpha_drop": {k: found["alpha_drop"][k] for k in ("raw_alpha", "std.alpha")},
    }


def main():
    known = json.loads((ROOT / "reference" / "reliability.json").read_text("utf-8"))
    cases = {f"mobi {c}": case("mobi", found) for c, found in known["alpha_mobi"].items()}
    cases["satisfaction QUAL"] = case("satisfaction", known["alpha_satisfaction_QUAL"])
    cases["hs9"] = case("holzinger_swineford", known["alpha_hs9"])
    cases["bfi A as asked"] = case("bfi", known["alpha_bfi_unreversed_A"])
    for c in BFI:
        cases[f"bfi {c}"] = case("bfi", known["alpha_bfi_reversed_missing"][c], turned=REVERSED)
    provenance = {
        "software": "psych 2.2.9 (R 4.2.2)",
        "command": "psych::alpha(x, check.keys = FALSE); items turned over as 7 - x before",
        "tolerance": 1e-9,
        "why": "closed formulas, printed with 15 digits",
    }
    text = json.dumps({"provenance": provenance, "cases": cases}, indent=1)
    (HERE / "psych_alpha.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
