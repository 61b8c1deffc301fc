"""The study file and the codebook of a simulation, as texts a person can read and edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from csi.simulation.blueprint import headings
from csi.simulation.parts import BrandPart, GroupPart
from csi.simulation.recipe import Recipe
from csi.survey.period import days_of

PLAIN = re.compile(r"[^\W_][^:#,\[\]{}\"'&*!|>%@`\n\\=]*\Z")
"""Strings that need no quotes inside a flow mapping."""


FURTHER = """\
# Further keys; take away "# " to use one (csi/study/README.md lists them all). 其他可用的键，去掉“# ”即可启用：
# estimate: {estimator: plsc, modes: {image: B}, missing: em}    # pls, plsc, sum, gsca, or mlr, wlsmv ...
#   higher_order: two-stage, embedded, repeated (高阶构念); interaction: two-stage, product, orthogonal (交互项)
#   missing: listwise, pairwise, mean, em (mlr: fiml); imputations: 20 (多重插补份数)
# bootstrap: {n: 1000, interval: bca, improper: keep}
#   interval: percentile, basic, normal, t, bc, bca, studentised, double (区间类型)
# replicate_weights: {columns: [rw*], kind: jk1}   # brr, fay (rho: 0.3), jk1, jk2, bootstrap, sdr (重复权重)
# report: {sections: {mediation: yes, prediction: yes, groups: yes}, groups: brand, desired: 80}   # 报告增加的章节
"""
"""Comments under a study file: keys that a study may use besides those it does."""


def flow(value: object) -> str:
    """A value in YAML's one-line form.

    Example:
        >>> print(flow({"zh": "值得信赖", "en": "Keeps its word: always", "share": [1, 2]}))
        {zh: 值得信赖, en: "Keeps its word: always", share: [1, 2]}
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if (PLAIN.match(text) and text == text.strip() and not re.search(r"\?(\s|$)", text)) or re.fullmatch(
        r"-?[\d.]+(e-?\d+)?", text
    ):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _key(key: object) -> str:
    """A key: in quotes where it holds what YAML reads as its own."""
    text = str(key)
    return flow(text) if re.search(r"[,\[\]{}:#\"'&*!|>%@`\n]", text) else text


def codebook_text(recipe: Recipe) -> str:
    """The codebook as YAML: scales, constructs, items (one line each).

    Parameters:
        recipe: a checked recipe.
    """
    lines = [f"# What was asked in the study {recipe.recipe}; written from its recipe.", "scales:"]
    for name, part in recipe.scales.items():
        lines.append(f"  {name}: {flow({'min': part.min, 'max': part.max, 'missing': part.missing})}")
    lines.append("constructs:")
    lines += [f"  {name}: {flow(_labels(t.zh, t.en))}" for name, t in headings(recipe).items()]
    lines.append("items:")
    for item in recipe.asked:
        first = {"name": item.name, **({"construct": recipe.listed(item.of)} if item.of else {})}
        attribute = {k: v for k, v in (("attribute", item.attribute), ("facet", item.facet)) if v}
        scale: dict[str, object] = {
            "form": item.form,
            "scale": item.scale or next(iter(recipe.scales)),
            "reverse": item.reverse,
        }
        column = {"column": item.column} if item.column else {}
        lines.append("  - " + flow({**first, **attribute, **scale, **_labels(item.zh, item.en), **column}))
    return "\n".join(lines) + "\n"


def study_text(recipe: Recipe, panel: str, codebook: str) -> str:
    """The study file as YAML: what the recipe's `study` says, with files, keys, waves, brands and stages filled in.

    Parameters:
        recipe: a checked recipe.
        panel: file name of the panel, beside the study file.
        codebook: file name of the codebook, beside the study file.
    """
    said: dict[str, Any] = dict(recipe.study)
    waves = {"order": list(recipe.waves), **said.pop("waves", {})}
    roles = ["respondent", "wave", "brand", "weight", "duration"]
    roles += ["stage"] if recipe.stages else []
    roles += ["segment"] if recipe.segments else []
    head = {"csi": recipe.csi, "study": recipe.recipe}
    opening = {k: said.pop(k) for k in ("title", "sector", "language") if k in said}
    lines = [f"# The study {recipe.recipe}; written from its recipe. Edit a copy to make it yours."]
    lines += [f"{k}: {flow(v)}" for k, v in [*head.items(), *opening.items()]]
    lines += ["data:", f"  - {flow({'file': panel})}", f"codebook: {codebook}"]
    lines += [f"keys: {flow({r: recipe.column(r) for r in roles})}", f"waves: {flow(waves)}"]
    lines += ["brands:", *(_entry(b) for b in recipe.brands)]
    if recipe.stages:
        lines += ["stages:", *(_entry(s) for s in recipe.stages)]
    if recipe.segments:
        lines += ["segments:", *(_entry(s) for s in recipe.segments)]
    models, own = said.pop("models", {}), said.pop("tables", {})
    lines += [f"{k}: {flow(v)}" for k, v in said.items()]
    tables = {**tables_said(recipe), **own}
    lines += ["tables:", *(f"  {kind}: {flow(table)}" for kind, table in tables.items())] if tables else []
    lines += ["models:", *(f"  {name}: {flow(options)}" for name, options in models.items())] if models else []
    return "\n".join(lines) + "\n" + FURTHER


def tables_said(recipe: Recipe) -> dict[str, Any]:
    """The tables of events as a study file names them: the file, and the last day observed."""
    events = recipe.events
    if events is None:
        return {}
    ends = days_of(recipe.waves[-1])
    until = {"cases": ends[1]} if ends else {}
    until |= {"purchases": events.purchases.until} if events.purchases else {}
    last = {kind: {"until": day.isoformat()} for kind, day in until.items()}
    return {kind: {"file": f"{kind}.csv", **last.get(kind, {})} for kind in events.tables}


def _labels(zh: str, en: str) -> dict[str, str]:
    """The labels that are there."""
    return {k: v for k, v in (("zh", zh), ("en", en)) if v}


def _entry(part: BrandPart | GroupPart) -> str:
    """One line of a list of brands or stages."""
    focal: dict[str, object] = {"focal": True} if isinstance(part, BrandPart) and part.focal else {}
    return "  - " + flow({"name": part.name, **_labels(part.zh, part.en), **focal})
