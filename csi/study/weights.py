"""The weights of a study: what its file says of them, and the panel weighed so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import polars as pl

from csi.errors import Problem, Problems, did_you_mean, problem
from csi.inference.margins import Given
from csi.inference.rake import rake
from csi.inference.raked_words import household_notes
from csi.moments.assembled import FRACTION
from csi.moments.raked import drawn_fractions
from csi.study.positions import Document
from csi.study.schema import StudyForm
from csi.survey.codebook import KEY_ROLES, Codebook
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True)
class WeighPlan:
    """How a study weighs its answers: see `csi.study.schema_weights.WeightsForm`.

    Attributes:
        margins: columns joined by * -> category -> number, or the name of a file beside the study. places: margin, or
            `margin:category`, and other keys -> where the study file says it. folder: of the study file.
    """

    margins: Mapping[str, Mapping[str, float] | str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    base: str = ""
    trim: tuple[float, float] | None = None
    missing: Mapping[str, str] | str = "refuse"
    household: str = ""
    tolerance: float = 1e-6
    iterations: int = 500
    population: float | Mapping[str, float] | str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def columns(self) -> dict[str, str]:
        """Columns of the exports that weighing needs -> the key of the study file that names them."""
        found = {v.strip(): f"rake:{name}" for name in self.margins for v in name.split("*")}
        found |= {self.household: "household"} if self.household else {}
        found |= {self.population: "population"} if isinstance(self.population, str) else {}
        return found


def weigh_plan(form: StudyForm, document: Document, folder: Path) -> WeighPlan | None:
    """What a study file says of its weights."""
    said = form.weights
    if said is None:
        return None
    places = {
        key: document.place(("weights", key)) for key in ("by", "base", "trim", "household", "population", "missing")
    }
    margins: dict[str, Mapping[str, float] | str] = {}
    for name in said.missing if isinstance(said.missing, dict) else ():
        places[f"missing:{name}"] = document.place(("weights", "missing", name))
    for name, given in said.rake.items():
        full = "*".join(part.strip() for part in name.split("*"))
        margins[full] = dict(given) if isinstance(given, dict) else given
        places[full] = places[f"rake:{full}"] = document.place(("weights", "rake", name))
        for category in given if isinstance(given, dict) else ():
            at = document.place(("weights", "rake", name, category))
            places[f"{full}:" + "*".join(part.strip() for part in category.split("*"))] = at
    return WeighPlan(
        margins=margins,
        by=tuple(said.by),
        base=said.base,
        trim=None if said.trim is None else (said.trim.min, said.trim.max),
        missing=said.missing,
        household=said.household,
        tolerance=said.tolerance,
        iterations=said.iterations,
        population=said.population,
        places=places,
        folder=folder,
    )


def weight_problems(form: StudyForm, codebook: Codebook | None, document: Document, folder: Path) -> Iterator[Problem]:
    """What of `weights` contradicts the rest of the study file."""
    said = form.weights
    if said is None:
        return
    keys = {} if codebook is None else codebook.keys
    if said.base and keys.get("weight", said.base) != said.base:
        en = f'keys names the weight "{keys["weight"]}", weights the base "{said.base}".'
        zh = f"keys 中的权重列为“{keys['weight']}”，而 weights 的 base 为“{said.base}”。"
        do, do_zh = "Name the base weight once.", "请只写一处基础权重。"
        yield problem("E-SETTING", document.place(("weights", "base")), en, zh, do, do_zh)
    if not said.rake and said.population is None and not said.household:
        en, zh = (
            "weights says neither margins to rake to nor a population.",
            "weights 没有给出边际，也没有给出总体规模。",
        )
        do, do_zh = "Write rake: {gender: {f: 0.51, m: 0.49}}, say.", "例如写 rake: {gender: {f: 0.51, m: 0.49}}。"
        yield problem("E-MARGIN", document.place(("weights",)), en, zh, do, do_zh)
    for name, given in said.rake.items():
        if isinstance(given, str) and not (folder / given).is_file():
            place = document.place(("weights", "rake", name))
            en, zh = f'the file of margins "{given}" does not exist.', f"边际文件“{given}”不存在。"
            do, do_zh = "It is looked up beside the study file.", "文件应放在研究文件所在的文件夹。"
            yield problem("E-FILE", place, en, zh, do, do_zh)
    if said.rake and any(f.stream for f in form.data):
        en = "answers that are streamed keep no rows, so their weights cannot be raked here."
        zh = "流式读取的答卷不保留数据行，无法在此按边际加权。"
        do, do_zh = (
            "Read them without stream, or bring the raked weight as keys: {weight: ...}.",
            "请不用 stream 读取，或以 keys: {weight: ...} 给出已加权的列。",
        )
        yield problem("E-SETTING", document.place(("weights", "rake")), en, zh, do, do_zh)
    known = {*KEY_ROLES, *keys}
    for name in (b for b in said.by if b not in known):
        hint = did_you_mean(name, [k for k in ("wave", "brand", *keys) if k != "weight"])
        en, zh = (
            f'margins cannot hold by "{name}": the study has no such key.',
            f"无法按“{name}”分组加权：研究没有该键。",
        )
        yield problem("E-BY", document.place(("weights", "by")), en, zh, hint.en, hint.zh)


def with_base(codebook: Codebook, plan: WeighPlan | None) -> Codebook:
    """The codebook with the base weight of `weights` as its key."""
    base = "" if plan is None else plan.base
    return replace(codebook, keys={**codebook.keys, "weight": base}) if base else codebook


def weigh_groups(plan: WeighPlan | None, codebook: Codebook, groups: Mapping[str, str]) -> dict[str, str]:
    """Further columns that the reader keeps for weighing: name -> column."""
    if plan is None:
        return {}
    held = {*codebook.keys, *codebook.names, *groups}
    return {name: name for name in plan.columns if name not in held and name not in ("wave", "brand")}


def placed(problems: tuple[Problem, ...], plan: WeighPlan | None) -> tuple[Problem, ...]:
    """Problems with columns of `weights`, at their line of the study file."""
    if plan is None:
        return problems
    of = {f'"{column}"': plan.places.get(key, "") for column, key in plan.columns.items()}
    found = []
    for one in problems:
        at = next((place for name, place in of.items() if one.code in ("E-BY", "E-GATE") and name in one.what.en), "")
        found.append(replace(one, where=at) if at and one.where == "between" else one)
    return tuple(found)


def weighed(panel: Panel, plan: WeighPlan | None, *, part: bool) -> Panel:
    """The panel with the weights and populations that the study asks for.

    Parameters:
        part: it is added to answers that were weighed before.

    Raises:
        Problems: margins, populations and answers that do not fit.
    """
    if plan is None:
        return panel
    if part and plan.margins:
        en = "answers that are added change the weights of those before, so a raked study cannot be appended to."
        zh = "追加的答卷会改变此前答卷的权重，因此经边际加权的研究不能追加。"
        do, do_zh = "Read all answers anew: csi track, csi batch.", "请重新读取全部答卷：csi track、csi batch。"
        raise Problems([problem("E-SETTING", plan.places.get("by", "weights"), en, zh, do, do_zh)])
    panel = _with_population(panel, plan)
    if not plan.margins:
        column = panel.frame[plan.household] if plan.household in panel.frame.columns else None
        weight = panel.frame["weight"].to_numpy() if "weight" in panel.frame.columns else None
        told = household_notes(weight, column, "weight") if weight is not None else []
        return replace(panel, notes=(*panel.notes, *told))
    made = rake(
        panel,
        cast("Mapping[object, Given]", plan.margins),
        by=plan.by,
        trim=plan.trim,
        missing=plan.missing,
        household=plan.household or None,
        tolerance=plan.tolerance,
        iterations=plan.iterations,
        places=plan.places,
        folder=plan.folder,
    )
    return cast("Panel", made)


def _with_population(panel: Panel, plan: WeighPlan) -> Panel:
    """The panel with a column of the finite population behind each row."""
    said, place = plan.population, plan.places.get("population", "weights")
    if said is None:
        return panel
    frame = panel.frame
    if isinstance(said, str):
        size = pl.col(said).cast(pl.Float64, strict=False)
    elif isinstance(said, Mapping):
        if "stratum" not in frame.columns:
            en, zh = "a population of each stratum needs the key stratum.", "按层给出总体规模需要关键列 stratum。"
            do, do_zh = "Name its column under keys.", "请在 keys 中写明该列。"
            raise Problems([problem("E-FPC", place, en, zh, do, do_zh)])
        size = pl.col("stratum").replace_strict(dict(said), default=None, return_dtype=pl.Float64)
    else:
        size = pl.lit(float(said))
    made = frame.with_columns(size.alias("_population"))
    lost = made.filter(pl.col("_population").is_null())
    if lost.height:
        of = lost["stratum"].unique().drop_nulls().sort().to_list()[:5] if "stratum" in lost.columns else []
        named = f" ({', '.join(map(str, of))})" if of else ""
        en = f"the population of {lost.height} of {frame.height} respondents is not known{named}."
        zh = f"{frame.height} 名受访者中有 {lost.height} 名所属层的总体规模未知{named}。"
        do, do_zh = "Give the population of every stratum.", "请给出每一层的总体规模。"
        raise Problems([problem("E-FPC", place, en, zh, do, do_zh)])
    held = frame.with_columns(made["_population"].alias(FRACTION))
    roles = {"fraction": FRACTION} | {r: r for r in ("stratum",) if r in frame.columns}
    unit = next((c for c in ("cluster", "respondent") if c in frame.columns), "")
    try:
        drawn_fractions(held, roles | ({"unit": unit} if unit else {}))
    except Problems as error:
        raise Problems([replace(p, where=place) for p in error.problems]) from None
    return replace(panel, frame=held)
