"""The covariance models whose numbers lavaan printed (tests/reference/*/lavaan), and how each is fitted here.

Cases with `moments` run in every clone; cases with `file` need the rows in `CSI_REFERENCE_DIR` and skip without them.
Provenance (call, options, version, hash of the data, tolerance) stands in each record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import csi
from csi.estimate.estimate import Estimate

REFERENCE = Path(__file__).parents[1] / "reference"
SCALAR = ("loadings", "intercepts")
STRICT = (*SCALAR, "residuals")
BFI = tuple(f"{s}{i}" for s in "ACENO" for i in range(1, 6))
CATEGORIES = tuple(f"u{i}" for i in range(1, 9))
HOLZINGER = "holzinger_swineford/holzinger_swineford.csv"
CATS = "semtools/datCat.csv"
MISSING = "holzinger_swineford/holzinger_swineford_missing.csv"


@dataclass(frozen=True, eq=False)
class Case:
    """A record and its settings here.

    Attributes:
        folder, record: tests/reference/<folder>/lavaan/<record>.json. settings: arguments of `csi.SEM`.
        design: arguments of `csi.fit`, such as the column of weights.
        moments: file beside `lavaan` with the moments. file: rows below `data`. na: codes of "no answer".
        ridge: an almost singular information: only the objective and the fit are compared (statistics.md, 3).
        polychoric: fit measures to 1e-3 instead of 1e-4.
        loose: relative tolerance of chi-squares and likelihoods, which are large numbers.
    """

    folder: str
    record: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    moments: str = ""
    file: str = ""
    na: tuple[float, ...] = ()
    ridge: bool = False
    polychoric: bool = False
    loose: float = 1e-6
    design: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name of the test."""
        return f"{self.folder}-{self.record}"


def _moments(folder: str, record: str, moments: str = "moments", *, ridge: bool = False, **settings: Any) -> Case:
    return Case(folder, record, settings, moments=moments, ridge=ridge)


def _rows(
    folder: str, record: str, file: str, na: Sequence[float] = (), *, ridge: bool = False, **settings: Any
) -> Case:
    polychoric = bool(settings.get("ordered"))
    return Case(folder, record, settings, file=file, na=tuple(na), ridge=ridge, polychoric=polychoric)


BY_MOMENTS = (
    _moments("holzinger", "ML"),
    _moments("holzinger", "ML_std_lv", std_lv=True),
    _moments("holzinger", "ML_mean", meanstructure=True),
    _moments("holzinger", "ML_wishart", likelihood="wishart"),
    _moments("holzinger", "ML_observed", information="observed"),
    _moments("holzinger", "GLS", estimator="GLS"),
    _moments("holzinger", "ULS", estimator="ULS"),
    _moments("democracy", "ML"),
    _moments("democracy", "ML_mean", meanstructure=True),
    _moments("democracy", "GLS", estimator="GLS"),
    _moments("democracy", "ULS", estimator="ULS"),
    _moments("democracy", "ML_equal_loadings_defined"),
    _moments("mobi", "SEM_ML", ridge=True),
    _moments("mobi", "SEM_ULS", estimator="ULS", ridge=True),
    _moments("mobi", "CFA_ML", std_lv=True),
    _moments("mobi", "latent_ML"),
    _moments("tal_or", "tal_or_ML"),
    _moments("satisfaction", "SEM_ML"),
    _moments("airlinesat", "sem_ML"),
    _moments("growth", "growth", growth=True),
    _moments("longitudinal", "long_configural", meanstructure=True),
    _moments("longitudinal", "long_scalar"),
    _moments("bfi", "ML_continuous"),
    _moments("bfi_reversed", "ML_continuous"),
    _moments("holzinger_missing", "listwise"),
    _moments("holzinger", "ML_configural", "by_school", groups="school", meanstructure=True),
    _moments("holzinger", "ML_metric", "by_school", groups="school", meanstructure=True, equal=("loadings",)),
    _moments("holzinger", "ML_scalar", "by_school", groups="school", equal=SCALAR),
    _moments("holzinger", "ML_strict", "by_school", groups="school", equal=STRICT),
    _moments("holzinger", "ML_scalar_partial", "by_school", groups="school", equal=SCALAR, free=("x3 ~ 1", "x7 ~ 1")),
    _moments("satisfaction", "SEM_ML_by_gender", "by_gender", groups="gender"),
    _moments("satisfaction", "SEM_ML_by_gender_metric", "by_gender", groups="gender", equal=("loadings",)),
)

BY_ROWS = (
    _rows("holzinger", "WLS", HOLZINGER, estimator="WLS"),
    _rows("holzinger", "DWLS", HOLZINGER, estimator="DWLS"),
    _rows("holzinger", "MLM", HOLZINGER, estimator="MLM"),
    _rows("holzinger", "MLR", HOLZINGER, estimator="MLR"),
    _rows("holzinger", "MLMV", HOLZINGER, estimator="MLMV"),
    _rows("holzinger", "MLMVS", HOLZINGER, estimator="MLMVS"),
    _rows("holzinger", "MLF", HOLZINGER, estimator="MLF"),
    _rows("holzinger", "ULS_robust", HOLZINGER, estimator="ULSM"),
    _rows("holzinger", "ML_yuanbentler", HOLZINGER, test="yuan.bentler", se="robust.huber.white"),
    _rows("holzinger", "MLR_configural", HOLZINGER, estimator="MLR", groups="school", meanstructure=True),
    _rows("holzinger", "MLR_metric", HOLZINGER, estimator="MLR", groups="school", equal=("loadings",)),
    _rows("holzinger", "MLR_scalar", HOLZINGER, estimator="MLR", groups="school", equal=SCALAR),
    _rows("holzinger", "MLR_strict", HOLZINGER, estimator="MLR", groups="school", equal=STRICT),
    _rows("holzinger_missing", "FIML", MISSING, missing="fiml"),
    _rows("holzinger_missing", "FIML_MLR", MISSING, missing="fiml", estimator="MLR"),
    _rows("holzinger_missing", "FIML_expected", MISSING, missing="fiml", information="expected"),
    # lavaan's EM stopped at 1e-5; run again with em.h1.tol = 1e-12 (more_two_stage) the numbers are ours to 1e-8
    Case("holzinger_missing", "two_stage", {"missing": "two-stage"}, file=MISSING, loose=2e-5),
    _rows("holzinger_missing", "FIML_multigroup_scalar", MISSING, missing="fiml", groups="school", equal=SCALAR),
    _rows("democracy", "MLR", "political_democracy/political_democracy.csv", estimator="MLR"),
    _rows("democracy", "MLM", "political_democracy/political_democracy.csv", estimator="MLM"),
    _rows("democracy", "MLR_equal_loadings_defined", "political_democracy/political_democracy.csv", estimator="MLR"),
    _rows("mobi", "SEM_MLR", "mobi/mobi.csv", estimator="MLR", ridge=True),
    _rows("mobi", "SEM_MLM", "mobi/mobi.csv", estimator="MLM", ridge=True),
    _rows("mobi", "CFA_MLR", "mobi/mobi.csv", estimator="MLR", std_lv=True),
    _rows("mobi", "SEM_FIML", "mobi/mobi_missing99.csv", (-99,), missing="fiml", ridge=True),
    _rows("mobi", "SEM_FIML_MLR", "mobi/mobi_missing99.csv", (-99,), missing="fiml", estimator="MLR", ridge=True),
    _rows("satisfaction", "SEM_MLR", "satisfaction/satisfaction.csv", estimator="MLR"),
    _rows("airlinesat", "sem_FIML_MLR", "airlinesat/airlinesat.csv", missing="fiml", estimator="MLR"),
    _rows("bfi", "MLR_continuous", "bfi/bfi.csv", estimator="MLR"),
    _rows("bfi", "FIML_continuous", "bfi/bfi.csv", missing="fiml"),
    _rows("sfo", "invariance_configural", "sfo", missing="fiml", estimator="MLR", groups="wave"),
    _rows("sfo", "invariance_metric", "sfo", missing="fiml", estimator="MLR", groups="wave", equal=("loadings",)),
    _rows("sfo", "invariance_scalar", "sfo", missing="fiml", estimator="MLR", groups="wave", equal=SCALAR),
    _rows("sfo", "invariance_strict", "sfo", missing="fiml", estimator="MLR", groups="wave", equal=STRICT),
)

ORDINAL = (
    _rows("bfi", "WLSMV", "bfi/bfi.csv", ordered=BFI, estimator="WLSMV"),
    _rows("bfi", "WLSMV_std_lv", "bfi/bfi.csv", ordered=BFI, estimator="WLSMV", std_lv=True),
    _rows("bfi", "WLSMV_theta", "bfi/bfi.csv", ordered=BFI, estimator="WLSMV", parameterization="theta"),
    _rows("bfi", "DWLS_naive", "bfi/bfi.csv", ordered=BFI, estimator="DWLS"),
    _rows("bfi", "WLSM", "bfi/bfi.csv", ordered=BFI, estimator="WLSM"),
    _rows("bfi", "WLSMVS", "bfi/bfi.csv", ordered=BFI, estimator="WLSMVS"),
    _rows("bfi", "ULSMV", "bfi/bfi.csv", ordered=BFI, estimator="ULSMV"),
    _rows("bfi", "pairwise_WLSMV", "bfi/bfi.csv", ordered=BFI, estimator="WLSMV", missing="pairwise"),
    _rows("bfi_reversed", "WLSMV", "bfi/bfi.csv", ordered=BFI, estimator="WLSMV"),
    _rows("datcat", "one_group", CATS, ordered=CATEGORIES, estimator="WLSMV", std_lv=True),
    *(
        _rows(
            "datcat",
            step,
            CATS,
            ordered=CATEGORIES,
            estimator="WLSMV",
            parameterization="theta",
            groups="g",
        )
        for step in ("configural", "threshold", "metric", "scalar", "strict")
    ),
)

AGREE = ("loadings", "thresholds")
EVERYTHING = ("loadings", "intercepts", "means", "residuals", "lv_variances", "lv_covariances")
METRIC = {"groups": "school", "equal": ("loadings",)}

MORE = (
    *(
        _moments("holzinger", f"more_{name}")
        for name in (
            "second_order",
            "nonlinear_equality",
            "linear_equality",
            "inequality_inactive",
            "inequality_active",
        )
    ),
    _moments("holzinger", "more_groups_std_lv_metric", "by_school", std_lv=True, **METRIC),
    _moments("holzinger", "more_groups_all_equal", "by_school", groups="school", equal=EVERYTHING),
    _moments("holzinger", "more_groups_metric_GLS", "by_school", estimator="GLS", **METRIC),
    _moments("holzinger", "more_groups_metric_ULS", "by_school", estimator="ULS", **METRIC),
    _moments("holzinger", "more_groups_metric_wishart", "by_school", likelihood="wishart", **METRIC),
    *(
        _rows("holzinger", f"more_groups_metric_{e}", HOLZINGER, estimator=e, **METRIC)
        for e in ("WLS", "DWLS", "MLM", "MLMV", "ULSMV")
    ),
    _moments("holzinger", "more_mean_GLS", estimator="GLS", meanstructure=True),
    _moments("holzinger", "more_mean_ULS", estimator="ULS", meanstructure=True),
    *(
        _rows("holzinger", f"more_mean_{e}", HOLZINGER, estimator=e, meanstructure=True)
        for e in ("WLS", "DWLS", "MLM", "MLMV", "WLSMV")
    ),
    _rows("holzinger", "more_first_order", HOLZINGER, information="first.order"),
    _rows("holzinger", "more_robust_se_expected", HOLZINGER, se="robust.sem"),
    _rows("holzinger", "more_sem_observed", HOLZINGER),
    _rows("holzinger", "more_sem_observed_MLR", HOLZINGER, estimator="MLR"),
    _rows("holzinger", "more_nonrecursive", HOLZINGER),
    Case(
        "holzinger",
        "more_cluster_agemo",
        {"estimator": "MLR", "meanstructure": True},
        file=HOLZINGER,
        design={"unit": "agemo"},
    ),
    Case("holzinger", "more_weights", {"estimator": "MLR"}, file=HOLZINGER, design={"weight": "w"}),
    _moments("holzinger", "more_equal_residuals_ULS", estimator="ULS"),
    _moments("holzinger", "more_equal_residuals_GLS", estimator="GLS"),
    *(_rows("holzinger", f"more_equal_residuals_{e}", HOLZINGER, estimator=e) for e in ("ULSMV", "DWLS", "WLS")),
    _moments("democracy", "more_heywood"),
    _moments("democracy", "more_heywood_pos_var", bounds="pos.var"),
    _rows("holzinger_missing", "more_FIML_exogenous", MISSING, missing="fiml"),
    _rows("holzinger_missing", "more_FIML_exogenous_MLR", MISSING, missing="fiml", estimator="MLR"),
    _rows(
        "holzinger_missing",
        "more_FIML_MLR_expected",
        MISSING,
        missing="fiml",
        estimator="MLR",
        information="expected",
    ),
    _rows("holzinger_missing", "more_two_stage", MISSING, missing="two-stage"),
    _rows("holzinger_missing", "more_two_stage_robust", MISSING, missing="two-stage", estimator="MLR"),
    *(
        _rows("datcat", f"more_groups_{name}", CATS, ordered=CATEGORIES, estimator="WLSMV", groups="g", **settings)
        for name, settings in (
            ("delta", {}),
            ("delta_scalar", {"equal": AGREE}),
            ("theta_scalar", {"equal": AGREE, "parameterization": "theta"}),
            ("theta_strict", {"equal": (*AGREE, "residuals"), "parameterization": "theta"}),
        )
    ),
    _rows("bfi", "more_mixed_WLSMV", "bfi/bfi.csv", ordered=BFI[:5], estimator="WLSMV"),
    _rows("bfi", "more_mixed_WLSMV_path", "bfi/bfi.csv", ordered=BFI[:5], estimator="WLSMV", std_lv=True),
    _rows("bfi", "more_WLS_five", "bfi/bfi.csv", ordered=BFI[:5], estimator="WLS"),
)

CUT = tuple(f"v{i}" for i in range(1, 10))
CUTS = ((4.2, 5.6), (5.4, 6.8), (1.5, 3), (2.3, 3.7), (3.6, 5), (1.5, 2.8), (3.6, 4.8), (4.9, 6.1), (4.7, 6))
"""Where x1, ..., x9 of Holzinger & Swineford are cut into three categories v1, ..., v9."""


def _given(folder: str, record: str, ordered: Sequence[str], **settings: Any) -> Case:
    file = "bfi/bfi.csv" if folder == "bfi" else HOLZINGER
    return _rows(folder, f"given_{record}", file, ordered=ordered, **settings)


GIVEN = (
    _given("bfi", "mimic", BFI[:5]),
    _given("bfi", "mimic_theta", BFI[:5], parameterization="theta", std_lv=True),
    _given("bfi", "mimic_ULSMV", BFI[:5], estimator="ULSMV"),
    _given("bfi", "mimic_WLSM", BFI[:5], estimator="WLSM"),
    _given("bfi", "mimic_WLS", BFI[:5], estimator="WLS"),
    _given("bfi", "mimic_pairwise", BFI[:5], missing="pairwise"),
    Case(
        "bfi",
        "given_mimic_weights",
        {"ordered": BFI[:5]},
        file="bfi/bfi.csv",
        polychoric=True,
        design={"weight": "w"},
    ),
    _given("bfi", "mimic_ordered_x", (*BFI[:5], "gender")),
    _given("bfi", "paths", (*BFI[:5], *BFI[15:20])),
    _given("bfi", "mixed", BFI[:5]),
    _given("bfi", "mixed_theta", BFI[:5], parameterization="theta", std_lv=True),
    _given("bfi", "mixed_pairwise", BFI[:5], missing="pairwise"),
    _given("bfi", "observed", BFI[:2], parameterization="theta"),
    _given("bfi", "groups", BFI[:5], groups="gender"),
    _given("bfi", "groups_equal", BFI[:5], groups="gender", equal=AGREE),
    _given(
        "bfi",
        "groups_equal_theta",
        BFI[:5],
        groups="gender",
        equal=(*AGREE, "regressions"),
        parameterization="theta",
    ),
    _given("bfi", "all", BFI),
    _given("holzinger", "cut", CUT),
    _given("holzinger", "cut_theta", CUT, parameterization="theta"),
    _given("holzinger", "cut_mixed", CUT[:3]),
    _given("holzinger", "cut_groups", (*CUT[:3], *CUT[6:]), groups="school", equal=("loadings",)),
)
"""Ordinal models conditional on exogenous predictors."""

CASES = (*BY_MOMENTS, *BY_ROWS, *ORDINAL, *MORE, *GIVEN)


OPEN: dict[str, tuple[str, ...]] = {}
"""Known differences; a case leaves this list when it agrees."""


def params(cases: Sequence[Case]) -> list[Any]:
    """For `pytest.mark.parametrize`; without what is known to differ."""
    known = {name for names in OPEN.values() for name in names}
    return [pytest.param(c, id=c.id) for c in cases if c.id not in known]


@lru_cache(maxsize=256)
def saved_of(folder: str, record: str) -> dict[str, Any]:
    """A record as lavaan printed it."""
    found: dict[str, Any] = json.loads((REFERENCE / folder / "lavaan" / f"{record}.json").read_text("utf-8"))
    return found


def moments_of(folder: str, name: str = "moments") -> csi.Moments:
    """Committed sample moments, by group where there are groups."""
    saved = json.loads((REFERENCE / folder / f"{name}.json").read_text("utf-8"))
    names = saved["names"]
    if "groups" not in saved:
        return csi.Moments.of(names, saved["cov"], saved["n"], saved["mean"])
    return csi.Moments.grouped(
        {g: csi.Moments.of(names, m["cov"], m["n"], m["mean"]) for g, m in saved["groups"].items()}
    )


@lru_cache(maxsize=16)
def frame_of(folder: str, file: str) -> pl.DataFrame:
    """Rows outside the repository; skips with a reason where they are absent."""
    place = os.environ.get("CSI_REFERENCE_DIR")
    if not place:
        pytest.skip("CSI_REFERENCE_DIR is not set: this record needs the rows")
    data = Path(place) / "data"
    if file == "sfo":
        return _airport(data)
    frame = pl.read_csv(data / file, null_values=["", "NA"], infer_schema_length=None)
    if folder == "bfi_reversed":
        beside = saved_of(folder, "beside_ordinal_bfi_reversed")["reversed"]
        return frame.with_columns((7 - pl.col(beside)).name.keep())
    if file == "bfi/bfi.csv":
        return frame.with_columns(w=1 + pl.int_range(1, pl.len() + 1) % 3)
    if file == HOLZINGER:
        cut = {f"v{i}": 1 + (pl.col(f"x{i}") > a) + (pl.col(f"x{i}") > b) for i, (a, b) in enumerate(CUTS, 1)}
        return frame.with_columns(w=1 + pl.col("ageyr") % 3, **cut)
    return frame.cast(dict.fromkeys(CATEGORIES, pl.Int64)) if folder == "datcat" else frame


def _airport(data: Path) -> pl.DataFrame:
    """Six ratings of four waves; every answer but 1-5 is absent."""
    waves = saved_of("sfo", "invariance_configural")["column_of_item"]
    parts = []
    for wave, columns in waves.items():
        raw = pl.read_csv(data / f"sfo_2010_2013/sfo_{wave}.csv", infer_schema_length=0, encoding="utf8-lossy")
        rating = [pl.col(c).str.strip_chars().cast(pl.Float64, strict=False).alias(i) for i, c in columns.items()]
        kept = raw.select(rating).with_columns(
            pl.when(pl.all().is_in([1.0, 2.0, 3.0, 4.0, 5.0])).then(pl.all()).otherwise(None).name.keep()
        )
        parts.append(kept.with_columns(pl.lit(wave).alias("wave")))
    return pl.concat(parts)


@cache
def fitted(case: Case) -> Estimate:
    """The same model fitted here."""
    saved = saved_of(case.folder, case.record)
    model = csi.Model.parse(saved["syntax"])
    settings = csi.SEM(**case.settings)
    if case.moments:
        return csi.fit(model, moments_of(case.folder, case.moments), settings)
    return csi.fit(model, frame_of(case.folder, case.file), settings, na=case.na, **case.design)


def key_of(name: str, group: str = "") -> tuple[str, ...]:
    """A parameter's name in a form in which `a ~~ b` is `b ~~ a`, and `x := a*b` is known by `x`."""
    lhs, op, *rest = name.split()
    rhs = " ".join(rest)
    if op == ":=":
        rhs = ""
    if op == "~~":
        lhs, rhs = sorted((lhs, rhs))
    return (lhs, op, rhs, group)


def keys_of(saved: Mapping[str, Any], part: str = "parameters") -> list[tuple[str, ...]]:
    """Names of lavaan's rows of a table; groups by their label, "" for defined parameters and for one group."""
    table = saved[part]
    labels = saved.get("groups") or []
    group = [labels[g - 1] if labels and g else "" for g in table.get("group", [0] * len(table["name"]))]
    return [key_of(name, "" if " := " in name else g) for name, g in zip(table["name"], group, strict=True)]


def aligned(est: Estimate, saved: Mapping[str, Any], values: np.ndarray | None = None) -> np.ndarray:
    """Our values (k,) in the order of lavaan's table; NaN where the row does not exist here."""
    own = est.values[0] if values is None else values
    known = {
        key_of(f"{r.lhs} {r.op} {r.rhs}", "" if r.op == ":=" else r.group or ""): v
        for r, v in zip(est.rows, own, strict=True)
    }
    return np.array([known.get(key, np.nan) for key in keys_of(saved)])


def numbers(values: Sequence[float | None]) -> np.ndarray:
    """JSON null is NaN."""
    return np.array([np.nan if v is None else v for v in values], dtype=float)
