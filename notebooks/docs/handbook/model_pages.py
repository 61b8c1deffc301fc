"""A page for every card and every model with code of its own, as `csi models` tells them."""

from __future__ import annotations

from csi.catalogue import guide
from csi.cli.models import card_of, drawing, in_order
from csi.errors import Language
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.reporting.methods import METHODS, Method, methods_of, own_methods
from csi.study.options import HELP
from handbook import words
from handbook.page import LANGUAGES, Page, fenced, literal, table


def models() -> list[Page]:
    """The list, a page per model with code of its own, a page per card."""
    first = Page("models.md", {lang: listed(lang) for lang in LANGUAGES})
    own = [Page(f"models/{m.name}.md", {lang: method_page(m, lang) for lang in LANGUAGES}) for m in own_methods()]
    return [first, *own, *(card_page(read_card(name)) for name in card_names())]


def _file(name: str) -> str:
    """The page of a card; where a model with code of its own bears its name, the card has another."""
    return f"{name}-card" if name in METHODS else name


def card_page(card: Card) -> Page:
    """A card: its diagram and what `csi models` says of it."""
    file = _file(card.id)
    body: dict[Language, str] = {}
    for lang in LANGUAGES:
        lines = [f"# {literal(card.title.say(lang))} ({card.year})", f"`{card.id}`"]
        if card.provisional is not None:
            lines.append(f"!!! warning\n    {literal(card.provisional.say(lang))}")
        lines += [f"## {words.DIAGRAM.say(lang)}", f"![{literal(card.title.say(lang))}]({file}.svg){{ .diagram }}"]
        lines += [f"## {words.CARD.say(lang)}", fenced("\n".join(card.describe(lang)))]
        body[lang] = "\n\n".join([*lines, f"[← {words.BACK.say(lang)}](../models.md)"])
    return Page(f"models/{file}.md", body, {f"models/{file}.svg": {lang: drawing(card, lang) for lang in LANGUAGES}})


def method_page(method: Method, lang: Language) -> str:
    """A model with code of its own: what it is for, its formula, how to read it, its limits, source, needs, options."""
    known = guide(method.name)
    parts = [f"# {literal(method.title.say(lang))}", f"`{method.name}`"]
    if known is not None:
        parts += [
            literal(known.about.say(lang)),
            f"## {words.FORMULA.say(lang)}",
            fenced(known.formula.say(lang), "{.text .wrap}"),
        ]
        parts += [f"## {words.READS.say(lang)}", literal(known.reads.say(lang))]
        parts += [f"## {words.LIMITS.say(lang)}", literal(known.limits.say(lang))]
        parts += [f"## {words.SOURCE.say(lang)}", literal(known.source)]
    if method.needs:
        colon = "：" if lang == "zh" else ": "
        wanted = (f"- {literal(n.what.say(lang))}{colon}{literal(n.add.say(lang))}" for n in method.needs)
        parts += [f"## {words.NEEDS.say(lang)}", "\n".join(wanted)]
    if method.options:
        heads = (words.OPTION.say(lang), words.MEANING.say(lang))
        rows = [(f"`--{name}`", literal(HELP[name].say(lang))) for name in method.options]
        parts += [f"## {words.USAGE.say(lang)}", fenced(f"csi expectation STUDY --model {method.name}", "sh")]
        parts += [table(heads, rows)]
    return "\n\n".join([*parts, f"[← {words.BACK.say(lang)}](../models.md)"])


def listed(lang: Language) -> str:
    """All models in the order of the twelve."""
    heads = (words.NAME.say(lang), words.YEAR.say(lang), words.WHAT.say(lang), words.NEEDS.say(lang))
    rows = []
    for method in in_order(methods_of()):
        card = card_of(method)
        name = _file(method.name.removesuffix("_card")) if card else method.name
        needs = ("；" if lang == "zh" else "; ").join(literal(n.what.say(lang)) for n in method.needs)
        year = str(card.year) if card else ""
        rows.append((f"[`{method.name}`](models/{name}.md)", year, literal(method.title.say(lang)), needs))
    return f"# {words.MODELS.say(lang)}\n\n{words.MODELS_LEAD.say(lang)}\n\n{table(heads, rows)}"
