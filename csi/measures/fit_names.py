"""lavaan's names of the fit measures beside ours."""

from __future__ import annotations

_BASE = {
    "chisq": "chi2",
    "pvalue": "p_value",
    "chisq.scaling.factor": "scaling_factor",
    "baseline.chisq": "baseline_chi2",
    "baseline.df": "baseline_df",
    "baseline.pvalue": "baseline_p_value",
    "baseline.chisq.scaling.factor": "baseline_scaling_factor",
    "unrestricted.logl": "logl_unrestricted",
    "bic2": "sabic",
    "ntotal": "n",
    "scaling.factor.h1": "scaling_factor_h1",
    "scaling.factor.h0": "scaling_factor_h0",
    "rmsea.ci.lower": "rmsea_conf_low",
    "rmsea.ci.upper": "rmsea_conf_high",
    "rmsea.pvalue": "rmsea_p_close",
    "rmsea.notclose.pvalue": "rmsea_p_not_close",
    "rmsea.ci.level": "rmsea_level",
    "rmsea.close.h0": "rmsea_close",
    "rmsea.notclose.h0": "rmsea_not_close",
}
_FORMS = (
    *("chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "baseline.pvalue"),
    *("cfi", "tli", "nnfi", "rfi", "nfi", "pnfi", "ifi", "rni"),
    *("rmsea", "rmsea.ci.lower", "rmsea.ci.upper", "rmsea.pvalue", "rmsea.notclose.pvalue"),
)
LAVAAN: dict[str, str] = _BASE | {
    f"{name}.{form}": f"{_BASE.get(name, name)}_{form}" for name in _FORMS for form in ("scaled", "robust")
}
"""lavaan's name -> ours, where they differ."""
