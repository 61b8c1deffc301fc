"""Lines of the overview: how intervals and tests of one study did, in words and against their gates."""

from __future__ import annotations

import calibration as cal
import polars as pl

HEAD = ("what", "measured on", "panels", "found", "held to", "verdict")
COVER = "coverage .925-.970, SE ratio .95-1.05"
CAREFUL = "on the safe side"
"""Limits that are too wide, tests that reject too rarely."""
AT_MOST = "at most alpha + 3 errors at .01, .05, .10"


def number(value: float) -> str:
    """Three digits without the zero before the point."""
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def span(values: pl.Series) -> str:
    """Lowest to highest."""
    low, high = values.min(), values.max()
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def link(study: str) -> str:
    """A study's page, or its script where it has none."""
    name = f"{study}.md" if (cal.HERE / f"{study}.md").exists() else f"{study}.py"
    return f"[{study}]({name})"


def covering(what, study, table, panels, *, gated):
    """A line of coverage, of rows with `coverage` and `se_ratio`."""
    found = f"coverage {span(table['coverage'])}, SE ratio {span(table['se_ratio'])} ({table.height} quantities)"
    inside = table["coverage"].is_between(*cal.COVERAGE) & table["se_ratio"].is_between(*cal.RATIO)
    outside = table.filter(~inside)
    near = ((outside["coverage"] < cal.COVERAGE[0]) | (outside["se_ratio"] < cal.RATIO[0])).any()
    said = f"missed by {outside.height} of {table.height}, {'too near' if near else CAREFUL}"
    verdict = "tabled" if not gated else said if outside.height else "held"
    return (what, link(study), panels, found, COVER if gated else "tabled", verdict)


def rejecting(what, study, at_5, panels, gate, *, held, note=""):
    """A line of rejections at 5 % of true hypotheses."""
    side = "too often" if at_5.max() > 0.05 else CAREFUL
    verdict = note or ("tabled" if gate == "tabled" else "held" if held else f"missed, {side}")
    return (what, link(study), panels, f"rejects {span(at_5)} at .05", gate, verdict)


MORE = ("weight", "total", "total effect")
"""Kinds that a study held to the gate of paths and indices although it is asked of those alone."""

NAMES = {
    "above a limit": "shares of unreasonable expectations (Wilson)",
    "above a limit, near 0": "such a share near 0",
    "ave": "AVE",
    "band": "mean loyalty in bands of satisfaction",
    "between stages": "differences of slopes between stages",
    "contrast": "contrasts of indirect effects",
    "correlation": "construct correlations",
    "difference": "differences of Net Promoter Scores",
    "f2": "f2",
    "facet gap": "gaps of facets",
    "facet share": "shares of facets in R2",
    "htmt": "HTMT",
    "importance": "importance (points)",
    "index": "indices",
    "indirect": "specific indirect effects",
    "loading": "loadings",
    "nps": "Net Promoter Score (adjusted Wald)",
    "nps near its end": "Net Promoter Score near 100",
    "path": "paths",
    "performance": "performance",
    "r2": "R2",
    "relative weight": "relative weights",
    "share of R2": "shares of R2",
    "slope": "simple slopes",
    "gap": "gaps of service quality, weighted and not",
    "zone": "adequacy, superiority, position in the zone",
    "net": "promises exceeded less broken",
    "share": "shares (Wilson, effective n)",
    "difference of shares": "differences of shares of R2",
    "share by band": "shares by band of the score",
    "hazard": "slopes of Cox's model",
    "weeks": "slopes of hazards by period",
    "staying": "shares that stay (Kaplan-Meier)",
    "rate": "repurchase rates",
    "surface": "features of response surfaces",
    "total": "total effects",
    "lever": "points of the target by levers",
    "total effect": "total effects",
    "total indirect": "total indirect effect",
    "type": "shares of types of loyalty (logit)",
    "type near its end": "types of loyalty at (85, 85), some near 0",
    "weight": "weights",
}


OWN = {
    "behaviour_coverage": {"slope": "slopes of segments"},
    "waves_coverage": {
        "difference": "difference in differences", "flag": "differences by a flag", "group": "groups, their changes",
        "lag": "lags", "mean": "means, mean changes, slopes", "variance": "variances, covariances",
    },
    "programme_coverage": {
        "naive": "naive difference", "period": "periods of the event study", "period, few": "periods",
        "way": "differences in differences", "way, few": "differences in differences",
        "weighted by chance": "weighted difference, chosen by nature",
    },
    "lifecycle_coverage": {
        "ahead": "shares gone, waves until then", "difference": "difference of two shares (Newcombe)",
        "move": "moves (Wilson)", "move near its end": "moves of .1 or less", "size": "stages (Wilson)",
        "size near its end": "stages of .1 or less", "turned": "shares whose emotion turned (Wilson)",
    },
    "complaints_coverage": {
        "after": "differences by complaint, slope of handling", "contrast": "contrasts",
        "contrast, weighted": "weighted contrasts", "handled": "mean handling", "incidence": "slopes (logit), points",
        "rate": "rate (Wilson)", "selection": "complainants less others",
    },
    "journey_coverage": {
        "mean": "means", "met": "differences of having met", "move": "moves (shares)", "reach": "reach",
        "slope": "slopes", "stop": "drop-off",
    },
    "adjustment_coverage": {
        "gain": "gains of stages", "path of a flag": "paths of an intervention", "r2 difference": "differences of R2",
        "through both": "through expectation (a b)", "trend of a slope": "trends of slopes by stage",
        "weight of a wave": "weights of waves",
    },
    "separation_coverage": {
        "corrected": "correlations with a criterion, corrected", "correlation": "factor correlations",
        "correlation, ordinal": "factor correlations by WLSMV", "htmt": "HTMT", "htmt2": "HTMT2",
        "criterion": "correlations with a criterion", "difference": "differences of groups",
        "difference, clusters": "differences of groups, by cluster", "g": "Hedges' g",
    },
    "factors_coverage": {"main loading": "main loadings", "side loading": "side loadings"},
    "logs_coverage": {
        "codes": "alpha, reliability of codes, correlation", "forecast": "purchases expected",
        "forecast, few": "purchases expected", "parameter": "parameters", "parameter, few": "parameters",
        "reliability": "reliability of the tone",
    },
}  # fmt: skip
"""What kinds are called where a study means its own."""


def of_study(name, nulls=""):
    """Coverage and rejections (if any) of a study that counts by `calibration`."""
    lines = []
    named = {**NAMES, **OWN.get(name, {})}
    more = (pl.col("kind").is_in(MORE) & (pl.col("gate") == "coverage")).alias("more")
    by = ["study", "interval", "gate", more]
    for (study, interval, gate, _), rows in cal.read(name).group_by(by, maintain_order=True):
        kinds = ", ".join(named[kind] for kind in rows["kind"].unique(maintain_order=True))
        what = f"{study}, {interval}: {kinds}"
        lines.append(covering(what, name, rows, rows["panels"][0], gated=gate == "coverage"))
    return lines + (of_nulls(name, nulls) if nulls else [])


def of_quadrants():
    """How often places on the map are right, by the share of draws behind them."""
    study, lines = "quadrants_calibration", []
    for (kind,), rows in cal.read(study).group_by("kind", maintain_order=True):
        top, rest = rows.filter(pl.col("share_from") >= 0.95), rows.filter(pl.col("share_from") < 0.95)
        gap = rest["right"] - rest["mean_share"]
        sure = f"right {number(top['right'][0])} of {top['places'][0]}"
        other = f"right less mean share {gap.min():+.3f} to {gap.max():+.3f} ({rest.height} bands)"
        holds = (top["right"][0] + 3 * top["right_error"][0] >= 0.95, (gap + 3 * rest["right_error"] >= -0.05).all())
        for share, found, least, held in (
            ("of .95 and more", sure, ".95", holds[0]),
            ("below .95", other, "-.05", holds[1]),
        ):
            what, gate = f"{kind}, share {share}", f"at least {least} - 3 errors"
            lines.append((what, link(study), rows["panels"][0], found, gate, "held" if held else "missed"))
    return lines


def of_nulls(name, nulls):
    """Rejections of a study that counts by `calibration`; the two one-sided tests in one line."""
    lines = []
    test = pl.col("test").str.replace("(greater|less)$", "one-sided")
    for (study, what, gate), rows in cal.read(nulls).group_by("study", test, "gate", maintain_order=True):
        shown = {"level": ".040-.065", "one-sided": ".035-.065", "tabled": "tabled"}.get(gate, AT_MOST)
        held = not cal.missed(None, rows)
        lines.append(rejecting(f"{study}: {what}", name, rows["at_5"], rows["panels"][0], shown, held=held))
    return lines
