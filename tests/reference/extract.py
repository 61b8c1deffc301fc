"""Regenerate the committed reference numbers from the folder named by `CSI_REFERENCE_DIR`.

    CSI_REFERENCE_DIR=../shared python tests/reference/extract.py

Writes, per data set, `moments.json` (names, n, mean, cov with divisor n - 1), `model.txt` (lavaan text),
`pls_<scheme>_<mode>.json` (one entry per program), `provenance.json` and what the measures need beside them. Rows of
data are read here and never written. The covariance models (`<data set>/lavaan/*.json`) come from `lavaan_records.py`.

In every file matrices follow `constructs` and `items` of that file; paths and effects are [outcome, predictor].
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("CSI_REFERENCE_DIR", "../shared"))
COMMAND = "CSI_REFERENCE_DIR=../shared python tests/reference/extract.py"
SCHEMES = {"path": "pathWeighting", "factorial": "factorial", "centroid": "centroid"}

MOBI = {
    "Image": ["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"],
    "Expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "Quality": ["PERQ1", "PERQ2", "PERQ3", "PERQ4", "PERQ5", "PERQ6", "PERQ7"],
    "Value": ["PERV1", "PERV2"],
    "Satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "Complaints": ["CUSCO"],
    "Loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}
MOBI_PATHS = {
    "Expectation": ["Image"],
    "Quality": ["Expectation"],
    "Value": ["Expectation", "Quality"],
    "Satisfaction": ["Image", "Expectation", "Quality", "Value"],
    "Complaints": ["Satisfaction"],
    "Loyalty": ["Image", "Satisfaction", "Complaints"],
}
BANK = {
    "IMAG": ["imag1", "imag2", "imag3", "imag4", "imag5"],
    "EXPE": ["expe1", "expe2", "expe3", "expe4", "expe5"],
    "QUAL": ["qual1", "qual2", "qual3", "qual4", "qual5"],
    "VAL": ["val1", "val2", "val3", "val4"],
    "SAT": ["sat1", "sat2", "sat3", "sat4"],
    "LOY": ["loy1", "loy2", "loy3", "loy4"],
}
BANK_PATHS = {
    "EXPE": ["IMAG"],
    "QUAL": ["EXPE"],
    "VAL": ["EXPE", "QUAL"],
    "SAT": ["IMAG", "EXPE", "QUAL", "VAL"],
    "LOY": ["IMAG", "SAT"],
}
HOLZINGER = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}


def read(name: str) -> Any:
    """A reference file as parsed JSON."""
    return json.loads((SHARED / "reference" / name).read_text(encoding="utf-8"))


def write(path: Path, content: object) -> None:
    """JSON with every digit of the floats; one short list per line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_lines(content) + "\n", encoding="utf-8")


def _lines(value: object, indent: int = 0) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) <= 110 - indent or not isinstance(value, (dict, list)):
        return flat
    pad, end = " " * (indent + 1), " " * indent
    if isinstance(value, dict):
        body = [f"{pad}{json.dumps(k, ensure_ascii=False)}: {_lines(v, indent + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(body) + "\n" + end + "}"
    if all(isinstance(v, (int, float, str)) or v is None for v in value):
        return flat
    return "[\n" + ",\n".join(pad + _lines(v, indent + 1) for v in value) + "\n" + end + "]"


def columns(path: Path, names: Sequence[str]) -> np.ndarray:
    """The named columns of a CSV as (n, p)."""
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    return np.array([[float(r[n]) for n in names] for r in rows])


def grid(table: dict[str, Any], rows: Sequence[str], cols: Sequence[str], *, absent: float | None = 0.0) -> list[Any]:
    """A `{rows, cols, values}` matrix reordered to `rows` x `cols`; names it lacks become `absent`."""
    r, c = {n: i for i, n in enumerate(table["rows"])}, {n: i for i, n in enumerate(table["cols"])}
    return [[table["values"][r[i]][c[j]] if i in r and j in c else absent for j in cols] for i in rows]


def transposed(values: list[Any]) -> list[Any]:
    """[from, to] to [to, from]."""
    return [list(row) for row in zip(*values, strict=True)]


def own(table: dict[str, Any], blocks: dict[str, list[str]]) -> list[float]:
    """The entry of each item in the column of its own construct, in block order."""
    cols = list(blocks)
    return [row[cols.index(c)] for c, items in blocks.items() for row in grid(table, items, cols)]


def lavaan(blocks: dict[str, list[str]], paths: dict[str, list[str]]) -> str:
    """The model as lavaan text."""
    outer = [f"{c} =~ {' + '.join(items)}" for c, items in blocks.items()]
    return "\n".join([*outer, *(f"{y} ~ {' + '.join(x)}" for y, x in paths.items())]) + "\n"


def seminr(part: dict[str, Any], blocks: dict[str, list[str]]) -> dict[str, Any]:
    """What seminr prints for one model."""
    cons, items = list(blocks), [i for b in blocks.values() for i in b]
    r2 = dict(zip(part["rSquared"]["cols"], zip(*part["rSquared"]["values"], strict=True), strict=True))
    reliability = dict(
        zip(("alpha_std", "rho_c", "ave", "rho_a"), transposed(grid_all(part["reliability"], cons)), strict=True)
    )
    return {
        "tolerance": 1e-8,
        "weights": own(part["outer_weights"], blocks),
        "loadings": own(part["outer_loadings"], blocks),
        "paths": transposed(grid(part["path_coef"], cons, cons)),
        "r2": [r2[c][0] if c in r2 else None for c in cons],
        "r2_adjusted": [r2[c][1] if c in r2 else None for c in cons],
        "cross_loadings": grid(part["cross_loadings"], items, cons),
        "total_effects": transposed(grid(part["total_effects"], cons, cons)),
        "indirect_effects": transposed(grid(part["total_indirect"], cons, cons)),
        "construct_cor": grid(part["construct_correlations"], cons, cons),
        "reliability": reliability,
        "htmt": grid(part["htmt"], cons, cons, absent=None),
        "fornell_larcker": grid(part["fl_criteria"], cons, cons, absent=None),
        "vif_items": [part["vif_items"][c][i] for c, b in blocks.items() for i in b],
        "vif_predictors": part["vif_antecedents"],
    }


def grid_all(table: dict[str, Any], rows: Sequence[str]) -> list[Any]:
    """Every column of a table, rows reordered."""
    return grid(table, rows, table["cols"])


def sempls(part: dict[str, Any], blocks: dict[str, list[str]]) -> dict[str, Any]:
    """What semPLS prints for one model."""
    cons, items = list(blocks), [i for b in blocks.values() for i in b]
    return {
        "tolerance": 1e-8,
        "weights": own(part["outer_weights"], blocks),
        "loadings": own(part["cross_loadings"], blocks),
        "paths": transposed(grid(part["path_coef"], cons, cons)),
        "r2": [row[0] for row in grid(part["r2"], cons, ["R-squared"])],
        "cross_loadings": grid(part["cross_loadings"], items, cons),
        "total_effects": transposed(grid(part["total_effects"], cons, cons)),
    }


def smartpls(part: dict[str, Any], blocks: dict[str, list[str]]) -> dict[str, Any]:
    """What SmartPLS 2 prints (8 digits)."""
    cons, items = list(blocks), [i for b in blocks.values() for i in b]
    return {
        "tolerance": 1e-7,
        "weights": own(part["outer_weights"], blocks),
        "loadings": own(part["cross_loadings"], blocks),
        "paths": transposed(grid(part["path_coef"], cons, cons)),
        "cross_loadings": grid(part["cross_loadings"], items, cons),
        "total_effects": transposed(grid(part["total_effects"], cons, cons)),
    }


def plspm(part: dict[str, Any], blocks: dict[str, list[str]], mode: str) -> dict[str, Any]:
    """What R plspm prints for one model; alpha and rho of mode B (printed as 0) are left out."""
    cons, items = list(blocks), [i for b in blocks.values() for i in b]
    outer, cross, inner = part["outer_model"], part["crossloadings"], part["inner_summary"]
    at = [outer["name"].index(i) for i in items]
    total = np.zeros((len(cons), len(cons)))
    for link, value in zip(part["effects"]["relationships"], part["effects"]["total"], strict=True):
        source, target = link.split(" -> ")
        total[cons.index(target), cons.index(source)] = value
    r2 = dict(zip(inner["construct"], inner["R2"], strict=True))
    kind = dict(zip(inner["construct"], inner["Type"], strict=True))
    entry: dict[str, Any] = {
        "tolerance": 1e-7,
        "weights": [outer["weight"][i] for i in at],
        "loadings": [outer["loading"][i] for i in at],
        "paths": grid(part["path_coef_to_from"], cons, cons),
        "r2": [None if kind[c] == "Exogenous" else r2[c] for c in cons],
        "cross_loadings": [[cross[c][cross["name"].index(i)] for c in cons] for i in items],
        "total_effects": total.tolist(),
    }
    if mode == "A":
        unidim = part["unidim"]
        order = [unidim["construct"].index(c) for c in cons]
        ave = dict(zip(inner["construct"], inner["AVE"], strict=True))
        entry["reliability"] = {"alpha_std": [unidim["C.alpha"][i] for i in order], "ave": [ave[c] for c in cons]}
        entry["rho_c_first_component"] = [unidim["DG.rho"][i] for i in order]
    return entry


def csem(part: dict[str, Any], blocks: dict[str, list[str]]) -> dict[str, Any]:
    """f2 and VIF of cSEM: the predictor is dropped from the regression of fixed scores."""
    cons = list(blocks)
    return {
        "tolerance": 1e-7,
        "paths": grid(part["path_coef_to_from"], cons, cons),
        "f2": grid(part["assess"]["F2"], cons, cons),
        "vif": grid(part["assess"]["VIF"], cons, cons),
    }


def moments(folder: Path, data: Path, blocks: dict[str, list[str]], bounds: tuple[float, float] | None) -> None:
    """n, means and covariances (divisor n - 1) of the items in block order."""
    items = [i for b in blocks.values() for i in b]
    x = columns(data, items)
    content: dict[str, Any] = {
        "names": items,
        "n": len(x),
        "mean": x.mean(axis=0).tolist(),
        "cov": np.cov(x, rowvar=False).tolist(),
        "constructs": list(blocks),
        "block": [k for k, b in enumerate(blocks.values()) for _ in b],
    }
    if bounds:
        content |= {"minimum": [bounds[0]] * len(items), "maximum": [bounds[1]] * len(items)}
    write(folder / "moments.json", content)


def provenance(folder: Path, data: Path, sources: dict[str, Any]) -> None:
    """Where every number of a folder comes from."""
    sha = hashlib.sha256(data.read_bytes()).hexdigest()
    write(folder / "provenance.json", {"data": data.name, "data_sha256": sha, "command": COMMAND, "sources": sources})


def mobi() -> None:
    """ECSI, mobile phone, 250 respondents."""
    folder, data = HERE / "mobi", SHARED / "data/mobi/mobi.csv"
    moments(folder, data, MOBI, (1.0, 10.0))
    (folder / "model.txt").write_text(lavaan(MOBI, MOBI_PATHS), encoding="utf-8")
    s, p, m, r, c = (
        read(f"{n}.json")
        for n in ("pls_seminr_mobi", "pls_sempls", "published_smartpls_mobi", "pls_plspm", "pls_csem_mobi")
    )
    items = [i for b in MOBI.values() for i in b]
    for scheme, theirs in SCHEMES.items():
        for mode in "AB":
            programs = {
                "semPLS": sempls(p[f"{mode}_{theirs}"], MOBI),
                "plspm": plspm(r["mobi"][f"{mode}_{scheme}"], MOBI, mode),
            }
            if scheme != "centroid":
                programs["seminr"] = seminr(s[f"{scheme}_mode{mode}"], MOBI)
            if mode == "A":
                programs["SmartPLS"] = smartpls(m[theirs], MOBI)
            programs["cSEM"] = csem(c[f"composite_mode{mode}_{scheme}"], MOBI)
            content = {"scheme": scheme, "mode": mode, "constructs": list(MOBI), "items": items, "programs": programs}
            write(folder / f"pls_{scheme}_{mode}.json", content)
    alpha = read("reliability.json")["alpha_mobi"]
    write(folder / "alpha.json", {k: {m: v["total"][m] for m in ("raw_alpha", "std.alpha")} for k, v in alpha.items()})
    sources = {
        "seminr": _source(
            "seminr 2.3.4 (R 4.2.2), stopCriterion 12", 1e-8, "iterated to 1e-12, printed with 15 digits"
        ),
        "semPLS": _source("semPLS 1.0.10 (R 4.2.2), tol 1e-13", 1e-8, "iterated to 1e-13, printed with 15 digits"),
        "SmartPLS": _source("SmartPLS 2.0.M3, abort criterion 1e-7", 1e-7, "8 printed digits"),
        "plspm": _source("plspm 0.4.9 (R 4.2.2), tol 1e-12", 1e-7, "agrees with seminr to 1e-8"),
        "cSEM": _source("cSEM 0.6.1.9000 (R 4.2.2), tolerance 1e-12", 1e-7, "printed with 15 digits"),
        "alpha.json": _source("psych 2.2.9 (R 4.2.2)", 1e-12, "closed formula, printed with 15 digits"),
    }
    provenance(folder, data, sources)


def satisfaction() -> None:
    """ECSI, bank, 250 respondents."""
    folder, data = HERE / "satisfaction", SHARED / "data/satisfaction/satisfaction.csv"
    moments(folder, data, BANK, (0.0, 10.0))
    (folder / "model.txt").write_text(lavaan(BANK, BANK_PATHS), encoding="utf-8")
    r = read("pls_plspm.json")["satisfaction"]
    items = [i for b in BANK.values() for i in b]
    for scheme in SCHEMES:
        for mode in "AB":
            programs = {"plspm": plspm(r[f"{mode}_{scheme}"], BANK, mode)}
            content = {"scheme": scheme, "mode": mode, "constructs": list(BANK), "items": items, "programs": programs}
            write(folder / f"pls_{scheme}_{mode}.json", content)
    ipma = read("pls_csem_other.json")["ipma_satisfaction"]
    cons = list(BANK)
    write(
        folder / "ipma.json",
        {
            "constructs": cons,
            "items": items,
            "scheme": "path",
            "target": "SAT",
            "importance": grid(ipma["Construct"]["Importance"], cons, cons),
            "performance": [ipma["Construct"]["Performance"][c] for c in cons],
            "item_importance": grid(ipma["Indicator"]["Importance"], ["SAT"], items)[0],
            "item_performance": [ipma["Indicator"]["Performance"][i] for i in items],
            "golden": {
                "constructs": ["IMAG", "EXPE", "QUAL", "VAL"],
                "performance": [75.806, 75.401, 69.950, 70.966],
                "performance_target": 68.502,
                "importance": [0.5684, 0.5507, 0.5174, 0.5845],
                "importance_std": [0.4748, 0.5167, 0.5205, 0.5800],
            },
        },
    )
    sources = {
        "plspm": _source("plspm 0.4.9 (R 4.2.2), tol 1e-12", 1e-7, "agrees with seminr to 1e-8 on mobi"),
        "ipma.json": _source("cSEM 0.6.1.9000 (R 4.2.2), doIPMA", 1e-7, "printed with 15 digits"),
        "ipma.json golden": _source("own numpy, path scheme, 0-10 rescaled to 0-100", 5e-4, "printed digits"),
    }
    provenance(folder, data, sources)


def covariance(name: str, case: str, key: str, data: Path, items: Sequence[str]) -> None:
    """Moments and lavaan's ML solution of one covariance model."""
    folder, part = HERE / name, read(case)[key]
    x = columns(data, items)
    content = {
        "names": list(items),
        "n": len(x),
        "mean": x.mean(axis=0).tolist(),
        "cov": np.cov(x, rowvar=False).tolist(),
    }
    write(folder / "moments.json", content)
    (folder / "model.txt").write_text(part["syntax"].strip() + "\n", encoding="utf-8")
    table, std = part["parameters"], part["std_all"]
    if [table[k] for k in ("lhs", "op", "rhs")] != [std[k] for k in ("lhs", "op", "rhs")]:
        raise SystemExit(f"{case}: parameters and std_all are not in the same order")
    expected = {k: table[k] for k in ("lhs", "op", "rhs", "est", "se")} | {
        "std_all": std["est.std"],
        "fmin": part["fmin"],
    }
    write(folder / "ml.json", expected)
    why = "moved to the optimum by Newton steps; the second opinion stops where its objective no longer changes"
    provenance(folder, data, {"ml.json": _source(f"{part['software']} (R 4.2.2), {part['call']}", 1e-4, why)})


def airline() -> None:
    """Satisfaction, commitment and loyalty of 1,065 passengers: moments, alpha, and lavaan's ML solution."""
    blocks = {"satisfaction": ("sat", 3), "commitment": ("com", 3), "loyalty": ("loy", 5)}
    items = [f"{stem}{k}" for stem, count in blocks.values() for k in range(1, count + 1)]
    covariance("airlinesat", "survey_airlinesat.json", "sem_ML", SHARED / "data/airlinesat/airlinesat.csv", items)
    saved = read("survey_airlinesat.json")
    alpha = {name: saved[f"{name}_alpha"] for name in blocks}
    write(HERE / "airlinesat/alpha.json", {k: {m: v[m] for m in ("raw_alpha", "std.alpha")} for k, v in alpha.items()})
    path = HERE / "airlinesat/provenance.json"
    said = json.loads(path.read_text("utf-8"))
    said["sources"]["alpha.json"] = _source("psych 2.2.9 (R 4.2.2)", 1e-12, "closed formula, printed with 15 digits")
    write(path, said)


def airport() -> None:
    """The airport as a whole in four waves: n, mean and sd of valid answers, and Welch's tests between waves."""
    folder, saved = HERE / "sfo", read("survey_sfo.json")
    kept = ("n_valid", "mean", "sd")
    waves = {w: {k: v["items"]["WHOLE"][k] for k in kept} for w, v in saved["waves"].items()}
    tests = [{k: t[k] for k in ("from", "to", "diff", "t")} for t in saved["wave_change_whole_welch"]]
    write(folder / "whole.json", {"minimum": 1.0, "maximum": 5.0, "waves": waves, "welch": tests})
    files = sorted((SHARED / "data/sfo_2010_2013").glob("sfo_*.csv"))
    content = {
        "data": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
        "command": COMMAND,
        "sources": {
            "whole.json": _source("psych 2.2.9 and t.test (R 4.2.2), unweighted", 1e-9, "closed formulas, 15 digits")
        },
    }
    write(folder / "provenance.json", content)


def _source(software: str, tolerance: float, why: str) -> dict[str, Any]:
    return {"software": software, "tolerance": tolerance, "why": why}


def main() -> None:
    """Write every folder."""
    mobi()
    satisfaction()
    airline()
    airport()
    items = [i for b in HOLZINGER.values() for i in b]
    covariance("holzinger", "cbsem_hs.json", "ML", SHARED / "data/holzinger_swineford/holzinger_swineford.csv", items)
    items = [*(f"x{i}" for i in range(1, 4)), *(f"y{i}" for i in range(1, 9))]
    covariance(
        "democracy", "cbsem_poldem.json", "ML", SHARED / "data/political_democracy/political_democracy.csv", items
    )
    for records in ("lavaan_records.py", "composite_records.py", "group_records.py", "factor_records.py"):
        runpy.run_path(str(HERE / records))["extract"](SHARED, write, COMMAND)


if __name__ == "__main__":
    main()
