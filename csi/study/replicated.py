"""Replicate weights of a study: those it came with, or those made of its design; what is wrong with their keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from csi.errors import Problem, Text, problem
from csi.estimate.estimate import Estimate
from csi.inference.make_replicates import MadeWeights, design_problems, make_replicates
from csi.inference.replicate_weights import replicate_weights
from csi.study.positions import Document
from csi.study.schema import StudyForm
from csi.study.schema_survey import ReplicatesForm
from csi.study.settings import MADE, RHO, ReplicateWeights
from csi.survey.columns import named
from csi.survey.panel import Panel

if TYPE_CHECKING:
    from csi.study.study import Study

NOTHING = Text("", "")
KEY = "replicate_weights"
OF_COLUMNS = ("columns", "kind", "scale", "rscales", "combined")
OF_MADE = ("count", "seed")


def replicates_said(form: StudyForm) -> ReplicateWeights | None:
    """Replicate weights that the survey came with, or how they are made of its design."""
    given = form.replicate_weights
    if given is None:
        return None
    if given.make is None:
        kind = given.kind or "other"
        return ReplicateWeights(
            tuple(given.columns), kind, given.rho, given.combined, given.scale, tuple(given.rscales)
        )
    rho = (RHO if given.rho is None else given.rho) if given.make == "fay" else None
    seed = form.bootstrap.seed if given.seed is None else given.seed
    return ReplicateWeights((), given.make, rho, make=given.make, count=given.count or MADE, seed=seed)


def made_weights(study: Study, panel: Panel) -> MadeWeights | None:
    """The replicate weights that a study makes of the answers' design; None where it makes none."""
    given = study.settings.replicate_weights
    if given is None or not given.make:
        return None
    return make_replicates(panel, given.make, given.count, given.seed, rho=RHO if given.rho is None else given.rho)


def replicated(study: Study, panel: Panel, est: Estimate) -> Estimate:
    """The estimate with errors of the study's replicate weights.

    Parameters:
        panel: what `est` was fitted from, with all its rows.
    """
    given, level = study.settings.replicate_weights, study.settings.level
    made = made_weights(study, panel)
    if given is None:
        return est
    if made is not None:
        return replicate_weights(est, made, level=level)
    return replicate_weights(
        est,
        panel,
        given.columns,
        scale=given.scale,
        rscales=given.each(len(named(given.columns, panel.frame.columns))),
        kind=given.kind,
        rho=given.rho,
        combined=given.combined,
        level=level,
    )


def answered_problems(given: ReplicateWeights | None, panel: Panel) -> list[Problem]:
    """What of the answers does not go with the replicate weights: factors without columns, a design that has none."""
    if given is None:
        return []
    if given.make:
        return design_problems(panel, given.make, given.count, KEY)
    count = len(named(given.columns, panel.frame.columns))
    if len(given.rscales) in (0, 1, count):
        return []
    en = f"there are {count} columns of replicate weights and {len(given.rscales)} rscales."
    zh = f"重复权重有 {count} 列，而 rscales 有 {len(given.rscales)} 个。"
    do, do_zh = "Give one for each column, or one for all.", "请每列给一个，或只给一个用于全部。"
    return [problem("E-SETTING", KEY, en, zh, do, do_zh)]


LEAST = 100
"""`csi.bootstrap` takes no fewer resamples."""


def few_resamples(n: int, where: str, key: str, more: Text = NOTHING) -> Problem:
    """Resamples too few for an interval, at the key that says them."""
    en, zh = f"{n} resamples are too few for standard errors.", f"{n} 次重抽样过少，不足以估计标准误。"
    do, do_zh = (
        f"Write {key}: {LEAST} or more, better 1000{more.en}.",
        f"请写 {key}: {LEAST} 以上，最好 1000{more.zh}。",
    )
    return problem("E-BOOT", where, en, zh, do, do_zh)


def replicate_problems(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Replicate weights whose constants do not fit, or that something else competes with."""
    given = form.replicate_weights
    if given is None:
        return
    yield from _of_kind(given, document)
    where = document.place((KEY,))
    if form.estimate.imputations:
        en, zh = (
            "imputations are pooled with a bootstrap, not with replicate weights.",
            ("多重插补与自助法合用，不与重复权重合用。"),
        )
        do, do_zh = "Use missing: em with replicate weights.", "有重复权重时请用 missing: em。"
        yield problem("E-SETTING", where, en, zh, do, do_zh)
    if form.bootstrap.interval != "percentile":
        en = f"replicate weights give t intervals; bootstrap: interval: {form.bootstrap.interval} has no say."
        zh = f"重复权重给出 t 区间；bootstrap 中的 interval: {form.bootstrap.interval} 不起作用。"
        at = document.place(("bootstrap", "interval"))
        yield problem("E-SETTING", at, en, zh, "Leave the interval out.", "请删去 interval。")


def _of_kind(given: ReplicatesForm, document: Document) -> Iterator[Problem]:
    """Keys that are missing or too many: columns and their kind, or what is made."""
    where = document.place((KEY,))
    kind, word = (given.make, "make") if given.make else (given.kind, "kind")
    said = [k for k in (OF_COLUMNS if given.make else OF_MADE) if k in given.model_fields_set]
    said += ["count"] if given.make in ("jk1", "jkn", "brr", "fay") and given.count is not None else []
    for name in said:
        at = document.place((KEY, name))
        if name == "count" and given.make:
            en = f"make: {given.make} has as many replicates as the design asks for; count is for make: bootstrap."
            zh = f"make: {given.make} 的重复数由抽样设计决定；count 只用于 make: bootstrap。"
        elif given.make:
            en = f"`{name}` belongs to columns that the survey came with; with make they are made here."
            zh = f"“{name}”用于数据自带的重复权重列；写 make 时由此处生成。"
        else:
            en, zh = f"`{name}` belongs to make, which is not there.", f"“{name}”与 make 合用，而此处没有 make。"
        yield problem("E-SETTING", at, en, zh, "Leave it out.", "请删去。")
    if given.make == "bootstrap" and given.count is not None and given.count < LEAST:
        yield few_resamples(given.count, document.place((KEY, "count")), "count")
    if not given.make and not (given.columns and given.kind):
        en = "replicate weights need columns and kind, or make."
        zh = "重复权重需要 columns 与 kind，或 make。"
        do = "Write {columns: [rw*], kind: jk1} for columns of the data, {make: bootstrap} to make them of the design."
        do_zh = "数据自带时写 {columns: [rw*], kind: jk1}；由抽样设计生成时写 {make: bootstrap}。"
        yield problem("E-SETTING", where, en, zh, do, do_zh)
        return
    if given.kind == "fay" and given.rho is None:
        en, zh = "Fay's method needs its rho.", "Fay 方法需要 rho。"
        yield problem("E-SETTING", where, en, zh, "Write rho: 0.3, say.", "例如写 rho: 0.3。")
    if kind != "fay" and given.rho is not None:
        en, zh = f"rho belongs to {word}: fay, not to {kind}.", f"rho 仅用于 {word}: fay，不用于 {kind}。"
        yield problem("E-SETTING", document.place((KEY, "rho")), en, zh, "Leave it out.", "请删去。")
    if given.kind == "jkn" and not given.rscales:
        en = "kind: jkn needs rscales, (n_h - 1) / n_h of the stratum of each replicate."
        zh = "kind: jkn 需要 rscales，即每个重复权重所属层的 (n_h - 1) / n_h。"
        do = "Write rscales: [0.5, 0.67, ...], one for each column, or a single number for all."
        do_zh = "请写 rscales: [0.5, 0.67, ...]，每列一个；或写一个数用于全部。"
        yield problem("E-SETTING", where, en, zh, do, do_zh)
