"""`csi explain htmt`, `speeders` or `E-SCALE`: what a measure, a rule on answers or a message code means."""

from __future__ import annotations

import argparse

from csi.catalogue import Meaning, codes, entry, explain, look_up, meaning, names
from csi.cli.answer import Answer, Grid
from csi.errors import Language, Text
from csi.survey.rule_words import LIMITS, RULE_WORDS
from csi.survey.rules import Rules


def arguments(parser: argparse.ArgumentParser) -> None:
    """A measure or a code; without one, the list."""
    parser.add_argument(
        "word",
        nargs="?",
        metavar="NAME",
        help="a measure such as htmt, a rule such as speeders, a code such as E-SCALE",
    )


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """Explain one word, or list all."""
    if args.word is None:
        every = {"measures": list(names()), "codes": list(codes()), "rules": list(RULE_WORDS)}
        return Answer(tuple(listed(lang)), every)
    if args.word.strip().casefold() in RULE_WORDS:
        return rule(args.word.strip().casefold(), lang)
    found = look_up(args.word, lang)
    kind = "code" if isinstance(found, Meaning) else "measure"
    return Answer(explain(args.word, lang), {kind: found})


def rule(name: str, lang: Language) -> Answer:
    """A rule on answers: what it looks at, what it does and its threshold unless the study says otherwise, its source.

    Example:
        >>> rule("outliers", "en").blocks[3]
        'Threshold: outliers_p: 0.001'
    """
    said, standard = RULE_WORDS[name], Rules()
    keys = {key: getattr(standard, key) for key in LIMITS.get(name, ())}
    limits = ", ".join(f"{key}: {value:g}" if isinstance(value, int | float) else key for key, value in keys.items())
    action = str(getattr(standard, name))
    lines = [
        f"{name}: {said.label.say(lang)}",
        said.what.say(lang),
        Text(
            f"In a study file: rules: {{{name}: {action}}} unless it says otherwise",
            f"研究文件：默认 rules: {{{name}: {action}}}",
        ).say(lang),
        *([Text("Threshold: ", "阈值：").say(lang) + limits] if limits else []),
        Text("Source: ", "来源：").say(lang) + said.source.say(lang),
    ]
    told = {
        "name": name,
        "label": said.label,
        "what": said.what,
        "action": action,
        "limits": keys,
        "source": said.source,
    }
    return Answer(tuple(lines), {"rule": told})


def listed(lang: Language) -> list[Grid]:
    """Measures, rules and codes with their names."""
    name, what = Text("name", "名称").say(lang), Text("what it is", "含义").say(lang)
    measures = tuple((n, entry(n).label.say(lang)) for n in names())
    messages = tuple((c, meaning(c).text.say(lang)) for c in codes())
    rules = tuple((n, words.label.say(lang)) for n, words in RULE_WORDS.items())
    return [Grid((name, what), rows, ("<", "<")) for rows in (measures, rules, messages)]
