"""The covariance models: what lavaan printed, and the moments to fit; called by `extract.py`.

Every record becomes `<data set>/lavaan/<record>.json`: call, options, syntax, the parameters by name ("visual =~ x1"),
fit measures, r2, implied moments, residuals, modification indices, and the first 20 factor scores. Symmetric matrices
are lower triangles row by row, means before thresholds; with groups, values come one list per group. Sample moments
(divisor n - 1) become `<data set>/<moments>.json`. Rows of data are read here and never written.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
Write = Callable[[Path, object], None]

RECORDS = {
    "cbsem_ecsi.json": "mobi",
    "cbsem_growth.json": "growth",
    "cbsem_hs.json": "holzinger",
    "cbsem_hs_fiml.json": "holzinger_missing",
    "cbsem_hs_multigroup.json": "holzinger",
    "cbsem_mediation.json": "mobi",
    "cbsem_poldem.json": "democracy",
    "cbsem_satisfaction.json": "satisfaction",
    "ordinal_bfi.json": "bfi",
    "ordinal_bfi_reversed.json": "bfi_reversed",
    "ordinal_datcat.json": "datcat",
    "survey_airlinesat.json": "airlinesat",
}
"""Which folder a reference file goes to."""

ELSEWHERE = {"long_configural": "longitudinal", "long_scalar": "longitudinal", "tal_or": "tal_or"}
"""Records (by how their name begins) that belong to another folder than their file."""

BESIDE = {
    "cbsem_ecsi.json": ("reliability",),
    "cbsem_hs.json": ("ML_bollenstine_1000_seed1",),
    "cbsem_hs_fiml.json": ("n_missing", "patterns", "coverage", "em_saturated"),
    "cbsem_hs_multigroup.json": (
        "lrt_ML",
        "score_ML_scalar",
        "lrt_MLR_satorra2001",
        "lrt_MLR_satorra2000",
        "lrt_MLR_satorra2010",
    ),
    "cbsem_mediation.json": (
        "latent_bootstrap2000_seed1234",
        "tal_or_bootstrap5000_seed1234",
        "tal_or_monteCarloCI_200000",
    ),
    "cbsem_poldem.json": ("lrt", "score_test", "wald_a_eq_b", "htmt", "htmt2", "ave", "compRelSEM"),
    "ordinal_bfi.json": ("n_listwise", "thresholds", "reliability_ordinal", "htmt_ordered", "htmt_continuous"),
    "ordinal_bfi_reversed.json": ("reversed", "reliability", "htmt_ordered", "htmt_continuous"),
    "ordinal_datcat.json": ("lrt_scaled",),
    "reliability.json": ("semtools_hs", "semtools_hs_bifactor", "semtools_hs_second_order"),
}
"""Tests and derived numbers that are not one fit; written as `<data set>/lavaan/beside_<file>.json`."""

POLISHED = (1e-5, "moved to the optimum by Newton steps; 1e-5 |theta| or 1e-4 SE, fit measures 1e-4 absolute")
LOOSE = (1e-5, "lavaan's own stop, good to about 1e-6; 1e-5 |theta| or 1e-4 SE, fit measures 1e-4 absolute")
POLYCHORIC = "; fit measures 1e-3 where polychoric correlations are behind them"

SUMMARY = (
    "srmr",
    "srmr.se",
    "srmr.exactfit.z",
    "srmr.exactfit.pvalue",
    "usrmr",
    "usrmr.se",
    "usrmr.ci.lower",
    "usrmr.ci.upper",
    "usrmr.closefit.h0.value",
    "usrmr.closefit.z",
    "usrmr.closefit.pvalue",
)
"""What lavaan's summary of residuals holds, in its order."""

BFI = tuple(f"{s}{i}" for s in "ACENO" for i in range(1, 6))
GROWTH = ("t1", "t2", "t3", "t4", "x1", "x2", "c1", "c2", "c3", "c4")
AIRPORT = ("ART", "FOOD", "SHOP", "SIGN", "WALK", "SCREEN")
STEPS = {
    "configural": '""',
    "metric": '"loadings"',
    "scalar": 'c("loadings", "intercepts")',
    "strict": 'c("loadings", "intercepts", "residuals")',
}
"""What is equal over waves at each step of the airport's ladder."""
LONGITUDINAL = tuple(f"y{i}t{t}" for t in (1, 2, 3) for i in (1, 2, 3))


def extract(shared: Path, write: Write, command: str) -> None:
    """Write every record, the numbers beside them, and the moments."""
    for file, folder in RECORDS.items():
        saved = json.loads((shared / "reference" / file).read_text("utf-8"))
        for name, record in saved.items():
            if isinstance(record, dict) and "call" in record:
                _put(shared, write, command, file, _folder(folder, name), name, record)
    _airport(shared, write, command)
    for file, keys in BESIDE.items():
        saved = json.loads((shared / "reference" / file).read_text("utf-8"))
        folder = RECORDS.get(file, "holzinger")
        content = {"source": file, "command": command, "versions": saved["versions"]} | {k: saved[k] for k in keys}
        write(_made(folder) / f"beside_{file.removesuffix('.json')}.json", content)
    _moments(shared, write)


def _put(shared: Path, write: Write, command: str, file: str, folder: str, name: str, record: dict[str, Any]) -> None:
    data = record["data"].split(",")[0].split(" ")[0].removeprefix("shared/")
    ordinal = "th" in str(record["implied"].keys()) or "th" in next(iter(record["implied"].values()))
    tolerance, why = POLISHED if record["polished"] is True else LOOSE
    head = {
        "source": file,
        "record": name,
        "software": f"{record['software']} (R 4.2.2)",
        "command": command,
        "data": record["data"].removeprefix("shared/"),
        "data_sha256": hashlib.sha256((shared / data).read_bytes()).hexdigest(),
        "tolerance": tolerance,
        "why": why + (POLYCHORIC if ordinal else ""),
    }
    write(_made(folder) / f"{name}.json", head | slim(record))


def slim(record: dict[str, Any]) -> dict[str, Any]:
    """One lavaan record without what follows from the rest (z, p and confidence limits, vcov, std.nox)."""
    labels = record["group_label"]
    saved = {
        "call": record["call"],
        "note": record["note"],
        "options": record["options"],
        "syntax": record["syntax"],
        "groups": labels,
        "n": record["nobs"],
        "npar": record["npar"],
        "polished": record["polished"],
        "parameters": _parameters(record, labels),
        "fmin": record["fmin"],
        "fit": record["fit"],
        "r2": record["r2"],
        "implied": _by_group(record.get("implied"), labels),
        "residuals": _by_group(record.get("resid_cor"), labels),
        "residuals_z": _by_group(record.get("resid_z"), labels),
        "residual_summary": {
            k: dict(zip(SUMMARY, v, strict=True))
            for k, v in (record.get("resid_summary") or {}).items()
            if k != "error"
        },
        "modification_indices": _indices(record.get("modification_indices"), labels),
        "scores_regression": _scores(record.get("scores_regression"), labels),
        "scores_bartlett": _scores(record.get("scores_bartlett"), labels),
    }
    if "th" in (saved["implied"] or {}):
        saved["sample"] = _by_group(record["sampstat"], labels)
    return {k: v for k, v in saved.items() if v not in (None, {}, [])}


def _parameters(record: dict[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    table, std, lv = record["parameters"], record["std_all"], record["std_lv"]
    names = [f"{a} {op} {b}".strip() for a, op, b in zip(table["lhs"], table["op"], table["rhs"], strict=True)]
    columns = {"name": names}
    if labels:
        columns["group"] = table["group"]
    if any(table.get("label", ())):
        columns["label"] = table["label"]
    columns |= {"est": table["est"], "se": table["se"], "std_lv": table["std.lv"], "std_all": table["std.all"]}
    for other, key in ((lv, "std_lv_se"), (std, "std_all_se")):
        if other:
            same = [f"{a} {op} {b}".strip() for a, op, b in zip(other["lhs"], other["op"], other["rhs"], strict=True)]
            if same != names:
                raise SystemExit(f"{record['call']}: standardised and raw parameters are not in the same order")
            columns[key] = other["se"]
    return columns


def _by_group(part: dict[str, Any] | None, labels: Sequence[str]) -> dict[str, Any]:
    """{cov, mean, th} of one block as lists, or one list per group."""
    if not part:
        return {}
    blocks = [part[g] for g in labels] if labels else [part]
    if any(not b or "error" in b for b in blocks):
        return {}
    flat = [{k: _flat(v) for k, v in b.items() if k != "type"} for b in blocks]
    names = {k: _names(v) for k, v in blocks[0].items() if k != "type"}
    content: dict[str, Any] = {"type": blocks[0]["type"]} if "type" in blocks[0] else {}
    content |= {"names": names["cov"]}
    if "th" in names:
        content["thresholds"] = names["th"]
    return content | {k: [f[k] for f in flat] if labels else flat[0][k] for k in flat[0]}


def _flat(value: dict[str, Any]) -> list[Any]:
    if "values" not in value:
        return list(value.values())
    return [v for i, row in enumerate(value["values"]) for v in row[: i + 1]]


def _names(value: dict[str, Any]) -> list[str]:
    return list(value["rows"] if "values" in value else value)


def _indices(table: dict[str, Any] | None, labels: Sequence[str]) -> dict[str, Any]:
    if not table:
        return {}
    names = [f"{a} {op} {b}".strip() for a, op, b in zip(table["lhs"], table["op"], table["rhs"], strict=True)]
    kept = {"mi": table["mi"], "epc": table["epc"], "sepc_lv": table["sepc.lv"], "sepc_all": table["sepc.all"]}
    return {"name": names} | ({"group": table["group"]} if labels else {}) | kept


def _scores(part: dict[str, Any] | None, labels: Sequence[str]) -> dict[str, Any]:
    """Standard deviations and the first 20 rows."""
    if not part:
        return {}
    blocks = [part[g] for g in labels] if labels else [part]
    found = [{"sd": list(b["sd"].values()), "head": b["head"]["values"]} for b in blocks]
    names = {"names": blocks[0]["head"]["cols"]}
    return names | {k: [f[k] for f in found] if labels else found[0][k] for k in ("sd", "head")}


def _airport(shared: Path, write: Write, command: str) -> None:
    """Invariance of two factors over four waves: short tables."""
    saved = json.loads((shared / "reference/survey_sfo.json").read_text("utf-8"))
    files = sorted((shared / "data/sfo_2010_2013").glob("sfo_*.csv"))
    for step, record in saved["invariance_over_waves_FIML_MLR"].items():
        table = record["parameters"]
        names = [f"{a} {op} {b}".strip() for a, op, b in zip(table["lhs"], table["op"], table["rhs"], strict=True)]
        content = {
            "source": "survey_sfo.json",
            "record": step,
            "software": "lavaan 0.6.14 (R 4.2.2)",
            "command": command,
            "data": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
            "tolerance": LOOSE[0],
            "why": LOOSE[1],
            "call": f'cfa(m, d, missing = "fiml", estimator = "MLR", group = "wave", group.equal = {STEPS[step]})',
            "note": "the call was reconstructed; run again it gives these numbers to 1e-14",
            "coding": saved["coding"],
            "column_of_item": {w: {i: c[i] for i in AIRPORT} for w, c in saved["column_of_item"].items()},
            "syntax": saved["invariance_syntax"],
            "groups": list(saved["column_of_item"]),
            "n": record["nobs"],
            "npar": record["npar"],
            "polished": False,
            "parameters": {"name": names}
            | {k: table[k] for k in ("group", "est", "se")}
            | {"std_all": table["std.all"]},
            "fit": record["fit"],
        }
        write(_made("sfo") / f"invariance_{step}.json", content)


def _moments(shared: Path, write: Write) -> None:
    """Sample moments of the cases whose fit needs no rows."""
    data = shared / "data"
    holzinger = [f"x{i}" for i in range(1, 10)]
    missing = data / "holzinger_swineford/holzinger_swineford_missing.csv"
    bank = json.loads((HERE / "satisfaction/moments.json").read_text("utf-8"))["names"]
    whole = [
        (HERE / "growth/moments.json", data / "demo_growth/demo_growth.csv", GROWTH),
        (HERE / "longitudinal/moments.json", data / "semtools/exLong.csv", LONGITUDINAL),
        (HERE / "tal_or/moments.json", data / "tal_or/tal_or.csv", ("pmi", "reaction", "cond")),
        (HERE / "bfi/moments.json", data / "bfi/bfi.csv", BFI),
        (HERE / "holzinger_missing/moments.json", missing, holzinger),
    ]
    for target, file, names in whole:
        _write_moments(write, target, file, names, {"": _rows(file, names)})
    kept = json.loads((shared / "reference/ordinal_bfi_reversed.json").read_text("utf-8"))["reversed"]
    rows = _rows(data / "bfi/bfi.csv", BFI)
    at = [BFI.index(k) for k in kept]
    rows[:, at] = 7 - rows[:, at]
    _write_moments(write, HERE / "bfi_reversed/moments.json", data / "bfi/bfi.csv", BFI, {"": rows})
    split = [
        (HERE / "holzinger/by_school.json", data / "holzinger_swineford/holzinger_swineford.csv", holzinger, "school"),
        (HERE / "satisfaction/by_gender.json", data / "satisfaction/satisfaction.csv", bank, "gender"),
    ]
    for target, file, names, by in split:
        group = _column(file, by)
        rows = _rows(file, names)
        parts = {g: rows[np.array(group) == g] for g in dict.fromkeys(group)}
        _write_moments(write, target, file, names, parts)


def _write_moments(write: Write, target: Path, file: Path, names: Sequence[str], parts: dict[str, np.ndarray]) -> None:
    """n, means, covariances (divisor n - 1) of complete rows; one entry per group where there are groups."""
    content: dict[str, Any] = {
        "data": file.name,
        "data_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "names": list(names),
    }
    found = {}
    for group, rows in parts.items():
        x = rows[~np.isnan(rows).any(axis=1)]
        found[group] = {"n": len(x), "mean": x.mean(axis=0).tolist(), "cov": np.cov(x, rowvar=False).tolist()}
    write(target, content | found.get("", {"groups": found}))


def _rows(file: Path, names: Sequence[str]) -> np.ndarray:
    with file.open(encoding="utf-8", newline="") as handle:
        return np.array([[_number(r[n]) for n in names] for r in csv.DictReader(handle)])


def _column(file: Path, name: str) -> list[str]:
    with file.open(encoding="utf-8", newline="") as handle:
        return [r[name] for r in csv.DictReader(handle)]


def _number(text: str) -> float:
    return float("nan") if text in ("", "NA") else float(text)


def _folder(folder: str, name: str) -> str:
    return next((other for start, other in ELSEWHERE.items() if name.startswith(start)), folder)


def _made(folder: str) -> Path:
    made = HERE / folder / "lavaan"
    made.mkdir(parents=True, exist_ok=True)
    return made
