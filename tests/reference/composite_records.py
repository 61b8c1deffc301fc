"""Composite models of other programs beside plain PLS: consistent PLS, mixed modes, sums, components.

Called by `extract.py`. One file per case: `<data set>/composites/<case>.json` with the model's text, the estimator and
its settings, constructs and items, and what each program printed. Matrices follow `constructs` and `items`; paths and
effects are [outcome, predictor].
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
Write = Callable[[Path, object], None]
Blocks = dict[str, list[str]]
SEMINR = "seminr 2.3.4 (R 4.2.2), stopCriterion 12"
CSEM = "cSEM 0.6.1.9000 (R 4.2.2), tolerance 1e-12"
ADANCO = "ADANCO 2.2.1, centroid (printed by cSEM's comparison files)"
SCHEMES = ("path", "factorial", "centroid")


def extract(shared: Path, write: Write, command: str) -> None:
    """Write every case and where it comes from."""
    sources: dict[str, dict[str, Any]] = {}
    for data, name, case in [*_mobi(shared), *_fixtures(shared), *_satisfaction(shared), *_other(shared)]:
        write(HERE / data / "composites" / f"{name}.json", case)
        sources.setdefault(data, {})[name] = case.pop("source")
    boot = json.loads((shared / "reference/pls_seminr_bootstrap.json").read_text("utf-8"))["ecsi_path_PLSc_2000"]
    write(HERE / "mobi/composites/plsc_bootstrap.json", {"resamples": 2000, "seed": 123, **boot})
    sources["mobi"]["plsc_bootstrap"] = {"software": SEMINR, "tolerance": "Monte Carlo error of 2,000 resamples"}
    for data, file in DATA.items():
        rows = shared / "data" / file
        _provenance(HERE / data / "composites", rows, sources[data], write, command)
        if data not in ("mobi", "satisfaction"):
            _moments(HERE / data, rows, sources[data], write)


DATA = {
    "mobi": "mobi/mobi.csv",
    "satisfaction": "satisfaction/satisfaction.csv",
    "bergami": "csem/BergamiBagozzi2000.csv",
    "itflex": "csem/ITFlex.csv",
    "threefactors": "csem/threecommonfactors.csv",
}


def _case(model: str, source: str, kind: str = "PLS", tolerance: float = 1e-8, **settings: object) -> dict[str, Any]:
    """A case without numbers."""
    constructs, items = _read_model(model)
    return {
        "model": model,
        "estimator": kind,
        "settings": settings,
        "constructs": constructs,
        "items": items,
        "source": {"software": source, "tolerance": tolerance},
        "programs": {},
    }


def _read_model(model: str) -> tuple[list[str], list[str]]:
    """Constructs and items of a text, in the order of its measurement lines."""
    outer = [line for line in model.splitlines() if "=~" in line or "<~" in line]
    constructs = [line.split("=~" if "=~" in line else "<~")[0].strip() for line in outer]
    items = [i.strip() for line in outer for i in line.split("~", 1)[1].split("+")]
    return constructs, items


def _blocks(case: dict[str, Any]) -> Blocks:
    """Construct -> its items."""
    outer = [line for line in case["model"].splitlines() if "=~" in line or "<~" in line]
    return {
        c: [i.strip() for i in line.split("~", 1)[1].split("+")]
        for c, line in zip(case["constructs"], outer, strict=True)
    }


def _grid(table: dict[str, Any], rows: list[str], cols: list[str]) -> list[list[Any]]:
    """A `{rows, cols, values}` matrix reordered; names it lacks are 0."""
    r, c = {n: i for i, n in enumerate(table["rows"])}, {n: i for i, n in enumerate(table["cols"])}
    return [[table["values"][r[i]][c[j]] if i in r and j in c else 0.0 for j in cols] for i in rows]


def _turned(values: list[list[Any]]) -> list[list[Any]]:
    return [list(row) for row in zip(*values, strict=True)]


def _csem(part: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """What cSEM printed."""
    cons, items, blocks = case["constructs"], case["items"], _blocks(case)
    at = [(c, i) for c, block in blocks.items() for i in block]
    weights, loadings = (part[f"{kind}_construct_by_item"] for kind in ("weights", "loadings"))
    found: dict[str, Any] = {
        "weights": [_grid(weights, [c], [i])[0][0] for c, i in at],
        "loadings": [_grid(loadings, [c], [i])[0][0] for c, i in at],
        "paths": _grid(part["path_coef_to_from"], cons, cons),
        "construct_cor": _grid(part["construct_vcv"], cons, cons),
        "score_cor": _grid(part["proxy_vcv"], cons, cons),
        "rho": [part["reliabilities"][c] for c in cons],
        "r2": [part["r2"].get(c) for c in cons],
        "r2_adjusted": [part["r2adj"].get(c) for c in cons],
        "not_positive_definite": bool(part["admissible"]["3"]),
    }
    assess = part.get("assess")
    if assess:
        total = dict(
            zip(assess["Effects"]["Total_effect"]["Name"], assess["Effects"]["Total_effect"]["Estimate"], strict=True)
        )
        found |= {
            "f2": _grid(assess["F2"], cons, cons),
            "total_effects": [[total.get(f"{y} ~ {x}", 0.0) for x in cons] for y in cons],
            "ave": [assess["AVE"][c] for c in cons],
            "rho_c": [assess["RhoC"][c] for c in cons],
            "fornell_larcker_squared": _grid(assess["Fornell-Larcker"], cons, cons),
        }
        if "VIF" in assess and assess["VIF"]["rows"] and isinstance(assess["VIF"]["cols"][0], str):
            found["vif"] = _grid(assess["VIF"], cons, cons)
    assert len(items) == len(at)
    return found


def _seminr(part: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """What seminr printed; its construct correlations are those of the scores."""
    cons, items = case["constructs"], case["items"]
    at = [(c, i) for c, block in _blocks(case).items() for i in block]
    r2 = dict(zip(part["rSquared"]["cols"], part["rSquared"]["values"][0], strict=True))
    reliability = _turned(_grid(part["reliability"], cons, ["alpha", "rhoC", "AVE", "rhoA"]))
    return {
        "weights": [_grid(part["outer_weights"], [i], [c])[0][0] for c, i in at],
        "loadings": [_grid(part["outer_loadings"], [i], [c])[0][0] for c, i in at],
        "paths": _turned(_grid(part["path_coef"], cons, cons)),
        "score_cor": _grid(part["construct_correlations"], cons, cons),
        "cross_loadings": _grid(part["cross_loadings"], items, cons),
        "total_effects": _turned(_grid(part["total_effects"], cons, cons)),
        "r2": [r2.get(c) for c in cons],
        "rho_c": reliability[1],
        "ave": reliability[2],
        "rho": reliability[3],
    }


Found = list[tuple[str, str, dict[str, Any]]]


def _mobi(shared: Path) -> Found:
    """ECSI of the mobile customers: cSEM and seminr."""
    c = json.loads((shared / "reference/pls_csem_mobi.json").read_text("utf-8"))
    s = json.loads((shared / "reference/pls_seminr_mobi.json").read_text("utf-8"))
    model = (HERE / "mobi/model.txt").read_text("utf-8").strip()
    found: Found = []
    for scheme in SCHEMES:
        case = _case(model, f"{CSEM}; {SEMINR}", weighting=scheme, consistent=True)
        case["programs"]["cSEM"] = _csem(c[f"factor_PLSc_{scheme}"], case)
        if f"{scheme}_PLSc" in s:
            case["programs"]["seminr"] = _seminr(s[f"{scheme}_PLSc"], case)
        found.append(("mobi", f"plsc_{scheme}", case))
        for mode in "AB":
            case = _case(
                model,
                CSEM,
                weighting=scheme,
                **({"modes": dict.fromkeys(_read_model(model)[0], "B")} if mode == "B" else {}),
            )
            case["programs"]["cSEM"] = _csem(c[f"composite_mode{mode}_{scheme}"], case)
            found.append(("mobi", f"pls_{scheme}_{mode}", case))
    case = _case(model, CSEM, weighting="path")
    case["programs"]["cSEM"] = _csem(c["factor_no_disattenuation_path"], case)
    found.append(("mobi", "factor_not_corrected", case))
    case = _case(model, SEMINR, weighting="path", consistent=True, modes={"Image": "B", "Quality": "B"})
    case["programs"]["seminr"] = _seminr(s["path_mixed_B_and_PLSc"], case)
    found.append(("mobi", "plsc_mixed", case))
    case = _case(model, f"{CSEM} (unit); {SEMINR} (unit_weights)", "SumScores")
    case["programs"] = {"cSEM": _csem(c["unit"], case), "seminr": _seminr(s["path_unit_weights"], case)}
    found.append(("mobi", "sum_scores", case))
    case = _case(model.replace("=~", "<~"), f"{CSEM} (GSCA)", "GSCA")
    case["programs"]["cSEM"] = _csem(c["GSCA_composite"], case)
    found.append(("mobi", "gsca", case))
    for how, theirs in (("mean", "mean_replacement"), ("listwise", "na_omit")):
        case = _case(model, SEMINR, weighting="path", missing=how) | {"rows": "mobi/mobi_missing99.csv", "na": [-99]}
        case["programs"]["seminr"] = _seminr(s[f"path_modeA_missing_{theirs}"], case)
        found.append(("mobi", f"missing_{how}", case))
    return found


SMALL = """Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Satisfaction ~ Image + Expectation + Value"""
BASIC = """Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality <~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Complaints =~ CUSCO
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Expectation ~ Image
Loyalty ~ Expectation + Quality + Complaints"""


def _columns(table: dict[str, Any], rows: list[str], cols: list[str]) -> list[list[float]]:
    """A fixture (columns, row names under "1") reordered."""
    at = {name: k for k, name in enumerate(table["1"])}
    return [[table[c][at[r]] for c in cols] for r in rows]


def _own(table: dict[str, Any], case: dict[str, Any]) -> list[float]:
    """The entry of each item in the column of its construct."""
    return [_columns(table, [i], [c])[0][0] for c, block in _blocks(case).items() for i in block]


def _fixtures(shared: Path) -> Found:
    """The regression fixtures of seminr and of plspm for Python: four constructs, and five."""
    f = json.loads((shared / "reference/published_seminr_fixtures.json").read_text("utf-8"))["fixtures"]
    p = json.loads((shared / "reference/published_plspm_fixtures.json").read_text("utf-8"))
    own = "seminr's own regression fixtures (tests/fixtures/V_3_6_0)"
    found: Found = []
    for scheme, stem in (("path", "inner_weights"), ("factorial", "factorial")):
        case = _case(SMALL, own, tolerance=1e-7, weighting=scheme)
        cons = case["constructs"]
        case["programs"]["seminr"] = {
            "weights": _own(f[f"{stem}_weights"], case),
            "paths": _turned(_columns(f[f"{stem}_coefficients"], cons, cons)),
        }
        found.append(("mobi", f"fixture_{scheme}", case))
    case = found[0][2]
    case["programs"]["seminr"]["r2"] = [None, None, None, f["rsquared1"]["Satisfaction"][0]]
    case = _case(SMALL, own, tolerance=1e-7, weighting="factorial", consistent=True)
    case["programs"]["seminr"] = {
        "loadings": _own(f["loadings1"], case),
        "paths": _turned(_columns(f["path_coef1"], case["constructs"], case["constructs"])),
        "rho": [row[0] for row in _columns(f["rho1"], case["constructs"], ["rhoA"])],
        "r2": [None, None, None, f["rsquaredplsc"]["Satisfaction"][0]],
    }
    found.append(("mobi", "fixture_plsc", case))
    python = "fixtures of plspm for Python, made with seminr"
    case = _case(BASIC, python, tolerance=1e-7, weighting="path")
    outer, cons = p["seminr-mobi-basic-outer-model"], case["constructs"]
    at = [outer["1"].index(i) for i in case["items"]]
    case["programs"]["seminr"] = {
        "weights": [outer["weight"][k] for k in at],
        "loadings": [outer["loading"][k] for k in at],
        "paths": _turned(_columns(p["seminr-mobi-basic-paths"] | {"1": p["seminr-mobi-basic-paths"]["1"]}, cons, cons)),
    }
    found.append(("mobi", "fixture_basic", case))
    return found


def _satisfaction(shared: Path) -> Found:
    """ECSI of the bank's customers: cSEM, ADANCO, and plspm on items in their own units."""
    c = json.loads((shared / "reference/pls_csem_satisfaction.json").read_text("utf-8"))
    a = json.loads((shared / "reference/published_adanco_satisfaction.json").read_text("utf-8"))
    p = json.loads((shared / "reference/published_plspm_fixtures.json").read_text("utf-8"))
    r = json.loads((shared / "reference/pls_plspm.json").read_text("utf-8"))["satisfaction"]
    model = (HERE / "satisfaction/model.txt").read_text("utf-8").strip()
    every = dict.fromkeys(_read_model(model)[0], "B")
    found: Found = []
    for scheme in SCHEMES:
        case = _case(model, f"{CSEM}; {ADANCO}", tolerance=1e-6, weighting=scheme, consistent=True)
        case["programs"]["cSEM"] = _csem(c[f"factor_PLSc_{scheme}"], case)
        if scheme == "centroid":
            case["programs"]["ADANCO"] = _adanco(a["common_factor"], case) | {"tolerance": 1e-6}
        found.append(("satisfaction", f"plsc_{scheme}", case))
        for mode in "AB":
            case = _case(
                model,
                f"{CSEM}; {ADANCO}",
                tolerance=1e-6,
                weighting=scheme,
                **({"modes": every} if mode == "B" else {}),
            )
            case["programs"]["cSEM"] = _csem(c[f"composite_mode{mode}_{scheme}"], case)
            if scheme == "centroid" and mode == "B":
                case["programs"]["ADANCO"] = _adanco(a["composite"], case) | {"tolerance": 1e-6}
            found.append(("satisfaction", f"pls_{scheme}_{mode}", case))
    fixtures = {"centroid": "outer-model", "path": "outer-model-path", "factorial": "outer-model-factorial"}
    for scheme, sheet in fixtures.items():
        source = "R plspm, scaled = FALSE (fixtures of plspm for Python; 0.4.9 for path)"
        case = _case(model, source, tolerance=1e-6, weighting=scheme, units="raw")
        outer = p[f"satisfaction.{sheet}"]
        case["programs"]["plspm"] = {"raw_weights": outer["weight"], "loadings": outer["loading"]}
        assert outer["name"] == case["items"]
        if scheme == "path":
            outer = r["A_path_unscaled"]["outer_model"]
            case["programs"]["plspm 0.4.9"] = {
                "raw_weights": outer["weight"],
                "loadings": outer["loading"],
                "paths": _grid(r["A_path_unscaled"]["path_coef_to_from"], case["constructs"], case["constructs"]),
            }
        found.append(("satisfaction", f"raw_{scheme}", case))
    return found


def _adanco(sheets: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """What ADANCO printed."""
    cons = case["constructs"]
    at = [(c, i) for c, block in _blocks(case).items() for i in block]

    def cells(name: str, skip: int = 1) -> dict[tuple[str, str], float]:
        head, *rows = [row[1:] for row in sheets[name][skip - 1 :]]
        return {
            (row[0], col): v for row in rows for col, v in zip(head[1:], row[1:], strict=True) if v is not None and col
        }

    weights, loadings, cor = cells("Weights"), cells("Loadings"), cells("Inter-Construct Correlations")
    paths, total = cells("Path Coefficients", 2), cells("Total Effects", 2)
    f2 = {tuple(row[1].split(" -> ")): row[5] for row in sheets["Effect Overview"][1:]}
    r2 = {row[1]: row[2] for row in sheets["R-Squared"][1:]}
    rho = {row[1]: row[2:5] for row in sheets["Construct Reliability"][1:]}
    ave = {row[1]: row[2] for row in sheets["Convergent Validity"][1:]}
    found: dict[str, Any] = {
        "weights": [weights[i, c] for c, i in at],
        "loadings": [loadings[i, c] for c, i in at],
        "paths": [[paths.get((x, y), 0.0) for x in cons] for y in cons],
        "total_effects": [[total.get((x, y), 0.0) for x in cons] for y in cons],
        "construct_cor": [[cor.get((a, b), cor.get((b, a))) for b in cons] for a in cons],
        "f2": [[f2.get((x, y)) or 0.0 for x in cons] for y in cons],
        "r2": [r2.get(c) for c in cons],
    }
    if ave[cons[0]] is not None:
        found |= {"rho": [rho[c][0] for c in cons], "rho_c": [rho[c][1] for c in cons], "ave": [ave[c] for c in cons]}
    return found


def _other(shared: Path) -> Found:
    """cSEM on its own data sets."""
    d = json.loads((shared / "reference/pls_csem_other.json").read_text("utf-8"))
    chosen = (
        ("bergami", "bergami", "plsc", {"weighting": "path", "consistent": True}),
        ("itflex_modeB", "itflex", "mode_B", {"weighting": "path"}),
        ("itflex_modeA_factorial", "itflex", "mode_A_factorial", {"weighting": "factorial"}),
        ("threecommonfactors_PLSc", "threefactors", "plsc", {"weighting": "path", "consistent": True}),
    )
    found: Found = []
    for key, data, name, settings in chosen:
        lines = [line.strip() for line in d[key]["syntax"].strip().splitlines()]
        model = "\n".join(sorted(lines, key=lambda line: "=~" not in line and "<~" not in line))
        modes = {"modes": dict.fromkeys(_read_model(model)[0], "A")} if name == "mode_A_factorial" else {}
        case = _case(model, CSEM, **settings, **modes)
        case["programs"]["cSEM"] = _csem(_plain(d[key]), case)
        found.append((data, name, case))
    return found


def _plain(part: dict[str, Any]) -> dict[str, Any]:
    """A record whose lists of one are lists."""
    total = part["assess"]["Effects"]["Total_effect"]
    part["assess"]["Effects"]["Total_effect"] = {k: v if isinstance(v, list) else [v] for k, v in total.items()}
    return part


def _moments(folder: Path, rows: Path, cases: dict[str, Any], write: Write) -> None:
    """n, means and covariances (divisor n - 1) of the items of a data set's cases."""
    first = json.loads((folder / "composites" / f"{next(iter(cases))}.json").read_text("utf-8"))
    with rows.open(encoding="utf-8", newline="") as handle:
        x = np.array([[float(r[n]) for n in first["items"]] for r in csv.DictReader(handle)])
    content = {
        "names": first["items"],
        "n": len(x),
        "mean": x.mean(axis=0).tolist(),
        "cov": np.cov(x, rowvar=False).tolist(),
    }
    write(folder / "moments.json", content)


def _provenance(folder: Path, rows: Path, cases: dict[str, Any], write: Write, command: str) -> None:
    """Where every number of a folder comes from."""
    sha = hashlib.sha256(rows.read_bytes()).hexdigest()
    write(folder / "provenance.json", {"data": rows.name, "data_sha256": sha, "command": command, "sources": cases})
