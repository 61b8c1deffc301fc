"""All models of the library: which a study allows, what the others would need, and running one."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Final

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.reporting.methods.method import Method, Need, begun
from csi.reporting.section import Section
from csi.study.options import FILES, Options, merged
from csi.study.study import Study
from csi.survey.panel import Panel

METHODS: Final[Mapping[str, str]] = {
    "gap": "gap:METHOD",
    "edt_inferred": "edt_inferred:METHOD",
    "servqual": "servqual:METHOD",
    "surface": "surface:METHOD",
    "tolerance": "tolerance:METHOD",
    "promise": "promise:METHOD",
    "kano": "kano:METHOD",
    "lifecycle": "lifecycle:METHOD",
    "journey": "journey:METHOD",
    "emotion_patterns": "emotion_patterns:METHOD",
    "emotion_waves": "emotion_waves:METHOD",
    "nps": "nps:METHOD",
    "loyalty_types": "loyalty:TYPES",
    "loyalty_curve": "loyalty:CURVE",
    "repurchase": "repurchase:METHOD",
    "bgnbd": "bgnbd:METHOD",
    "churn": "churn:METHOD",
    "attitude": "attitude:METHOD",
    "complaints": "complaints:METHOD",
    "recovery": "recovery:METHOD",
    "feedback": "feedback:METHOD",
    "programme": "programme:METHOD",
    "drivers": "drivers:METHOD",
    "penalty_reward": "penalty_reward:METHOD",
    "ipa": "ipa:METHOD",
    "kinds": "kinds:METHOD",
    "mentions": "kinds:CODES",
    "formation": "formation:METHOD",
    "formation_by_stage": "formation:STAGED",
    "reasonable": "reasonable:METHOD",
    "balance": "balance:METHOD",
    "change": "change:METHOD",
    "intervention": "intervention:METHOD",
    "adjustment": "adjustment:METHOD",
    "dynamic": "dynamic:METHOD",
    "stakeholders": "requirements:WHOM",
    "requirements": "requirements:METHOD",
    "text": "text:METHOD",
}
"""Models with code of their own, in the order in which reports tell them: the file each is in and its name there."""


NATIONAL = 4
"""The place of the satisfaction indices among the twelve models: a report tells those that the study names."""


LAST = 99
"""Where cards stand that are none of the twelve models."""


def methods_of(study: Study | None = None) -> tuple[Method, ...]:
    """Every model: those with code of their own and the cards, also the cards a study names by file."""
    own = () if study is None else tuple(_of_file(name, study) for name in study.models if is_file(name))
    return (*own_methods(), *cards(), *own)


def own_methods() -> tuple[Method, ...]:
    """The models of `METHODS`."""
    return tuple(map(_loaded, METHODS))


def _loaded(name: str) -> Method:
    found: Method = resolve_name(f"{__package__}.{METHODS[name]}")
    return found


@functools.cache
def cards() -> tuple[Method, ...]:
    """The cards of the library as models, in the order of the twelve models, what stands around them last."""
    found = [read_card(name) for name in card_names()]
    found.sort(key=lambda card: card.number or LAST)
    return tuple(_of_card(card, f"{card.id}_card" if card.id in METHODS else card.id) for card in found)


def _of_card(card: Card, name: str) -> Method:
    made: Method = resolve_name(f"{__package__}.card:method_of_card")(card, name)
    return made


def is_file(name: str) -> bool:
    """Whether a model's name is that of a card file.

    Example:
        >>> is_file("mine.yaml"), is_file("ecm")
        (True, False)
    """
    return name.endswith((".yaml", ".yml"))


def _of_file(name: str, study: Study | None) -> Method:
    """The model of a card file, looked up beside the study file where it is not here."""
    beside = study.path.parent / name if study is not None else Path(name)
    place = name if Path(name).is_file() or not beside.is_file() else str(beside)
    return _of_card(read_card(place), name)


def method_of(name: str, study: Study | None = None) -> Method:
    """The model of a name.

    Raises:
        Problems: E-METHOD with the nearest name.

    Example:
        >>> method_of("gap").number
        1
    """
    if name in METHODS:
        return _loaded(name)
    known = {m.name: m for m in methods_of(study)}
    if name in known:
        return known[name]
    if is_file(name):
        return _of_file(name, study)
    hint = did_you_mean(name, known)
    en, zh = f'there is no model "{name}" in the library.', f"模型库中没有“{name}”。"
    raise Problems([problem("E-METHOD", "--model", en, zh, hint.en, hint.zh)])


def options_of(study: Study, name: str) -> Options:
    """What the study file says about a model, the files it names under `tables` in their place."""
    said = study.models.get(name) or Options()
    files: dict[str, Any] = {kind: t.path for kind, t in study.tables.items() if kind in FILES}
    return merged(Options(**files, given=tuple(files)), said)


def allowed(study: Study, among: Collection[str] | None = None) -> tuple[tuple[Method, tuple[Need, ...]], ...]:
    """Every model, or those named, with the needs that the study does not meet; none for those it can run."""
    models = methods_of(study) if among is None else tuple(method_of(name, study) for name in among)
    return tuple((m, m.lacks(study, options_of(study, m.name))) for m in models)


def told_in(study: Study, among: Collection[str] | None = None) -> tuple[str, ...]:
    """The models, or those of the named, that a report tells: what the study allows and does not switch off.

    Of the satisfaction indices, which share their columns, those that the study names; models that follow the same
    people where it says that they are (waves, respondents: same) or names the model.
    """
    off = {name for name, options in study.models.items() if options is None}
    named = {*study.models, study.model.card} - off
    found = (m for m, lacking in allowed(study, among) if not lacking and m.name not in off)
    followed = study.respondents == "same" or len(study.waves) < 2
    return tuple(m.name for m in found if m.name in named or (m.number != NATIONAL and (followed or not m.panel)))


def run_method(study: Study, panel: Panel, name: str, asked: Options | None = None) -> Section:
    """Run a model on a study's answers.

    Parameters:
        study: the study. panel: its answers. name: of the model. asked: options in place of the study file's.

    Returns:
        A section: finding, tables, figures, notes, numbers in full precision.

    Raises:
        Problems: E-METHOD; E-OPTION for an option the model does not take; E-ROLE for what it needs and the study
            lacks, all at once; whatever the model itself refuses.
    """
    method = method_of(name, study)
    options = merged(options_of(study, name), asked or Options())
    refuse_foreign(method, options)
    lacking = method.lacks(study, options)
    if lacking:
        raise Problems([_lacks(method, need) for need in lacking], study.language)
    told = method.tell(study, panel, options)
    notes = tuple(replace(n, text=begun(n.text)) for n in told.notes)
    return replace(told, notes=notes, language=study.language, kicker=method.title)


NO_CELLS: Final = {
    "by": (
        Text("makes no cells: by (--by) would change nothing.", "不分单元计算：by（--by）不会起作用。"),
        Text("Leave it out, or run one group at a time with --brand or --wave where the model takes them.",
             "请去掉；模型支持时可用 --brand 或 --wave 逐组运行。"),
    ),
    "where": (
        Text("reads no answers of brands or waves: --brand and --wave would change nothing.",
             "不读取各品牌或各期的答卷：--brand 与 --wave 不会起作用。"),
        Text("Leave them out, or give a table of that brand or wave alone.", "请去掉，或只给出该品牌或该期的表。"),
    ),
}  # fmt: skip
"""What is said where a model takes no cells, and what to do."""


def refuse_foreign(method: Method, options: Options) -> None:
    """Refuse options that the model does not take.

    Raises:
        Problems: E-OPTION, one for each.
    """
    found = []
    for name in (n for n in options.given if n not in (*method.options, "by", "where")):
        listed = ", ".join(method.options) or "none"
        en, zh = f"{method.name} takes no {name}.", f"{method.name} 没有选项 {name}。"
        do, do_zh = f"It takes: {listed}.", f"可用选项：{listed.replace(', ', '、')}。"
        found.append(problem("E-OPTION", f"models: {method.name}", en, zh, do, do_zh))
    found += [
        problem("E-OPTION", f"models: {method.name}", f"{method.name} {no.en}", f"{method.name} {no.zh}", do.en, do.zh)
        for name, (no, do) in NO_CELLS.items()
        if getattr(options, name) and name not in method.cells
    ]
    if found:
        raise Problems(found)


def _lacks(method: Method, need: Need) -> Problem:
    """A need that is not met."""
    what = Text(
        f"{method.name} needs {need.what.en}; the study has none.", f"{method.name} 需要{need.what.zh}，该研究没有。"
    )
    do = Text(f"{need.add.en[:1].upper()}{need.add.en[1:]}.", f"请{need.add.zh}。")
    return problem("E-ROLE", method.name, what.en, what.zh, do.en, do.zh)
