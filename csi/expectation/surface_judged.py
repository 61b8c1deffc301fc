"""What a fitted response surface says of itself: its features, coefficients, and the tests of nested claims.

Letters: `n` rows, `k` columns, `B` replicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from csi.expectation.regression import Errors, Regression, regress
from csi.expectation.scores import finite
from csi.expectation.surface_shape import CLAIMS, LINES, TERMS, claimed, curvature, stationary, within
from csi.expectation.surface_words import FLAT, OUTSIDE
from csi.inference.draws import percentiles
from csi.inference.linearised import Design
from csi.moments.stack import Array

POINTS: Final = ("expected0", "perceived0", "p10", "p11")

NUMBERS: Final = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")

_TESTS: Final = {"restrictions": pl.Int64} | dict.fromkeys(
    ("r2", "r2_adjusted", "f", "df", "p_value", "f_classical", "df_classical", "p_classical"), pl.Float64
)


def features(
    full: Regression | None, drawn: Array, corners: Array, errors: Errors, level: float, why: str | None = None
) -> pl.DataFrame:
    """a1 to a5 by t, and the point and the axis by the bootstrap, withheld where they are not determined.

    Parameters:
        full: the surface; its first six coefficients are b0 to b5. drawn: (B, 6) of resamples. corners: (v, 2) hull of
            the centred answers (expected, perceived). why: code of the reason where there is no surface.
    """
    L = np.zeros((5, 6 if full is None else full.slopes.size))
    L[:, :6] = LINES
    names = [*(f"a{i}" for i in range(1, 6)), *POINTS]
    if full is None:
        blank = dict.fromkeys(NUMBERS, np.full(9, np.nan))
        return pl.DataFrame({"quantity": names} | {c: finite(x) for c, x in blank.items()} | _why([why] * 9))
    lines = full.combined(L, level, errors)
    point, why = stationary(full.slopes), _withheld(full, drawn, corners, level)
    draws = stationary(drawn)
    low, high = percentiles(draws, level)
    shown = 1.0 if why is None else np.nan
    tail = {"estimate": point * shown, "conf_low": low * shown, "conf_high": high * shown}
    columns = {c: np.concatenate([lines[c], tail.get(c, np.full(4, np.nan))]) for c in NUMBERS}
    return pl.DataFrame({"quantity": names} | {c: finite(x) for c, x in columns.items()} | _why([None] * 5 + [why] * 4))


def _why(codes: Sequence[str | None]) -> dict[str, pl.Series]:
    """The column of reasons."""
    return {"reason": pl.Series(codes, dtype=pl.String)}


def _withheld(full: Regression, drawn: Array, corners: Array, level: float) -> str | None:
    """Code of the reason why the point and the axis are not told; None where they are."""
    low, high = percentiles(np.column_stack([curvature(drawn), drawn[:, 4]]), level)
    E0, P0, *_ = stationary(full.slopes)
    if not bool(((low > 0) | (high < 0)).all()):
        return FLAT.code
    return None if within(corners, E0, P0) else OUTSIDE.code


def coefficients(full: Regression | None, errors: Errors, level: float, controls: Sequence[str]) -> pl.DataFrame:
    """b0 to b5 and the controls' slopes."""
    names = [*TERMS, *controls]
    blank = dict.fromkeys(NUMBERS, np.full(len(names), np.nan))
    found = blank if full is None else full.combined(np.eye(len(names)), level, errors)
    return pl.DataFrame({"term": names} | {c: finite(found[c]) for c in NUMBERS})


def claims(
    full: Regression | None,
    at: tuple[Array, Array, Array, Array],
    plan: Design,
    n: int,
    errors: Errors = "robust",
) -> pl.DataFrame:
    """R2 of the surface and of each claim, and the tests of the claims."""
    E, P, y, C = at
    blank: dict[str, float | str | int | None] = dict.fromkeys(_TESTS)
    whole = blank if full is None else blank | {"r2": full.r2, "r2_adjusted": full.r2_adjusted, "restrictions": 0}
    rows: list[dict[str, float | str | int | None]] = [{"claim": "full", "n": n, **whole}]
    for claim, X in claimed(E, P).items():
        less = regress(np.column_stack([X, C]), y, *plan)
        row = blank | ({} if less is None else {"r2": less.r2, "r2_adjusted": less.r2_adjusted})
        rows.append(
            {"claim": claim, "n": n, **row, **({} if full is None else claim_tests(full, CLAIMS[claim], errors))}
        )
    return pl.DataFrame(rows, schema_overrides=_TESTS)


def claim_tests(full: Regression, claim: Array, errors: Errors = "robust") -> dict[str, float | int | None]:
    """The robust Wald and the classical F test of a claim.

    Parameters:
        claim: (q, 6) combinations of b0 to b5 that are 0 when it holds. errors: "hc3" for that covariance in the Wald
            test.
    """
    L = np.zeros((len(claim), full.slopes.size))
    L[:, :6] = claim
    f, q, df, p = full.wald(L, "hc3" if errors == "hc3" else "robust")
    plain = full.wald(L, "classical")
    found = {"f": f, "df": df, "p_value": p, "f_classical": plain[0], "df_classical": plain[2], "p_classical": plain[3]}
    return {"restrictions": int(q), **{c: float(v) if np.isfinite(v) else None for c, v in found.items()}}
