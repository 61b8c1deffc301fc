"""Repeated indicators by plspm (PyPI): Satisfaction is made of Image and Value, its items repeated as columns R_*.

    python tests/reference/composed/repeated_plspm.py MOBI.csv

Run in an environment with plspm 0.5.7 and pandas below 3; writes `repeated.json` beside this file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import plspm.config as c
from plspm.mode import Mode
from plspm.plspm import Plspm
from plspm.scale import Scale
from plspm.scheme import Scheme

BLOCKS = {
    "Expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "Quality": [f"PERQ{i}" for i in range(1, 8)],
    "Image": [f"IMAG{i}" for i in range(1, 6)],
    "Value": ["PERV1", "PERV2"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
frame = pd.read_csv(sys.argv[1])
repeated = [*BLOCKS["Image"], *BLOCKS["Value"]]
for item in repeated:
    frame["R_" + item] = frame[item]
blocks = BLOCKS | {"Satisfaction": ["R_" + item for item in repeated]}
made = {}
for kind in ("reflective", "formative"):
    structure = c.Structure()
    structure.add_path(["Expectation", "Quality"], ["Satisfaction"])
    up, down = (["Image", "Value"], ["Satisfaction"]) if kind == "formative" else (["Satisfaction"], ["Image", "Value"])
    structure.add_path(up, down)
    structure.add_path(["Satisfaction"], ["Complaints", "Loyalty"])
    config = c.Config(structure.path(), default_scale=Scale.NUM)
    for name, items in blocks.items():
        mode = Mode.B if (kind, name) == ("formative", "Satisfaction") else Mode.A
        config.add_lv(name, mode, *(c.MV(i) for i in items))
    fitted = Plspm(frame, config, Scheme.PATH, iterations=3000, tolerance=1e-12)
    paths, outer = fitted.path_coefficients(), fitted.outer_model()
    made[kind] = {
        "path_coef": {f"{x}|{y}": float(paths.loc[y, x]) for y in paths.index for x in paths if paths.loc[y, x] != 0},
        "weights": {item: float(w) for item, w in outer["weight"].items()},
        "loadings": {item: float(w) for item, w in outer["loading"].items()},
    }
(Path(__file__).parent / "repeated.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
