"""Words of a card's section: verdicts, labels of constructs, chains, contrasts, rivals and measures of fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from csi.catalogue import entry, names
from csi.claims.card_run import CardRun
from csi.claims.run_words import VERDICTS
from csi.errors import Note, Text
from csi.expectation.wide import named
from csi.measures.mediation import KINDS
from csi.measures.shown import HEADINGS, WORDS
from csi.reporting import style
from csi.study.study import Study

SIGNS = {"-": Text(style.MINUS, style.MINUS)}
"""Expected signs as they are printed."""

SATURATED = {"srmr_saturated": Text("SRMR of the saturated model", "饱和模型的 SRMR")}


def worded(said: Text, run: CardRun, texts: Mapping[str, Text]) -> Text:
    """A sentence with contrasts and groups in words."""
    for formula in run.contrasts["formula"].to_list() if run.contrasts.height else ():
        said = Text(said.en.replace(formula, texts[formula].en), said.zh.replace(formula, texts[formula].zh))
    key = run.card.requires.group
    return with_groups(said, run.cells[key].drop_nulls().to_list(), texts) if key in run.cells.columns else said


def with_groups(said: Text, groups: Collection[str], texts: Mapping[str, Text]) -> Text:
    """A sentence that begins with a group or names it in brackets or with its answers, by the group's label.

    Example:
        >>> labels = {"new": Text("New", "新顾客")}
        >>> with_groups(Text("new: 3 of 4 (old).", "new：4 条中 3 条（old）。"), ["new"], labels).zh
        '新顾客：4 条中 3 条（old）。'
    """
    for group in groups:
        place = re.compile(rf"(?:(?<=^)|(?<=[(（、：])|(?<=[,:] )){re.escape(group)}(?=[:：)）,、]| ?[(（])")
        label = texts.get(group, Text(group, group))
        en, zh = (told.replace("\\", r"\\") for told in (label.en, label.zh))
        said = Text(place.sub(en, said.en), place.sub(zh, said.zh))
    return said


def words_of(run: CardRun) -> dict[str, Text]:
    """Words of verdicts and kinds, labels of constructs, chains, contrasts and rivals."""
    labels = {n: Text(run.model.label(n), run.model.label(n, "zh")) for n in run.model.names}
    chains = {c: c.split(" -> ") for c in run.hypotheses["chain"].to_list()} if run.hypotheses.height else {}
    said = {
        c: Text(" → ".join(run.model.label(n) for n in names), " → ".join(run.model.label(n, "zh") for n in names))
        for c, names in chains.items()
    }
    rivals = {name: Text(r.en, r.zh) for name, r in run.card.rivals.items()}
    return {**WORDS, **VERDICTS, **KINDS, **SIGNS, **labels, **said, **rivals, **_formulas(run, said), **_measures(run)}


def noted(said: Note, texts: Mapping[str, Text], study: Study) -> Note:
    """A note with stages in words."""
    return replace(said, text=with_groups(said.text, [*study.stages], texts))


def items_of_waves(study: Study, run: CardRun) -> dict[str, Text]:
    """Items of a card of two occasions, by their labels: which wave they are of, their construct says."""
    items = {named(i.name, t): i for i in study.codebook.items for t in (1, 2)}
    return {n: Text(i.label.en or n, i.label.zh or n) for n in run.model.items if (i := items.get(n)) is not None}


def _formulas(run: CardRun, chains: Mapping[str, Text]) -> dict[str, Text]:
    """Contrasts with the chains themselves in place of the card's names for them."""
    if not run.contrasts.height:
        return {}
    named = dict(run.hypotheses.select("hypothesis", "chain").iter_rows()) if run.hypotheses.height else {}
    return {
        formula: in_chains(formula, {n: chains[c] for n, c in named.items()}) for formula in run.contrasts["formula"]
    }


def in_chains(formula: str, chains: Mapping[str, Text]) -> Text:
    """A contrast of named chains, each by its arrows.

    Example:
        >>> in_chains("a - abs(b)", {"a": Text("x -> y", "甲 → 乙"), "b": Text("x -> z", "甲 → 丙")}).en
        '(x -> y) − |x -> z|'
    """

    def told(lang: str) -> str:
        def put(found: re.Match[str]) -> str:
            inside, alone = found.group(1), found.group(2)
            text = chains.get(inside or alone)
            if text is None:
                return found.group(0)
            return f"|{text.say(lang)}|" if inside else f"({text.say(lang)})"

        return re.sub(r"abs\((\w+)\)|\b(\w+)\b", put, formula).replace(" - ", f" {style.MINUS} ")

    return Text(told("en"), told("zh"))


def _measures(run: CardRun) -> dict[str, Text]:
    """Fit measures as the catalogue names them."""
    shown = run.fit["measure"].to_list() if run.fit.height else []
    known = {name: entry(name).label for name in shown if name in names()}
    return {name: HEADINGS[name] for name in shown if name in HEADINGS} | known | SATURATED
