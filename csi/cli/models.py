"""`csi models [CARD] [--draw FILE]`: the model library, one card in full, its diagram, or a codebook to fill in."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from csi.catalogue import guide
from csi.cli.answer import Answer, Grid
from csi.errors import Language, Problem, Problems, Text, did_you_mean, problem
from csi.models.card import Card
from csi.models.cards import card_names, read_card
from csi.reporting.methods import METHODS, Method, blank_of, method_of, methods_of, own_methods
from csi.study.options import HELP

LAST = 99
"""Where models stand that are none of the twelve."""
PROVISIONAL = Text(" (provisional)", "（暂定）")
RUN = Text(
    "csi expectation STUDY --model NAME runs one; csi models NAME describes it; csi models NAME --blank writes an "
    "empty codebook.",
    "csi expectation STUDY --model 名称 运行模型；csi models 名称 查看说明；csi models 名称 --blank 写出空白编码簿。",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """A card, and what to make of it."""
    parser.add_argument(
        "card", nargs="?", metavar="NAME", help="a model or a card, such as gap or acsi, or the path of your own"
    )
    parser.add_argument(
        "--draw", metavar="FILE", nargs="?", const=Path(), type=Path, help="write the card's diagram (CARD.svg) as SVG"
    )
    parser.add_argument(
        "--blank",
        "--codebook",
        metavar="FILE",
        nargs="?",
        const=Path(),
        type=Path,
        help="write an empty codebook (NAME_codebook.yaml) to fill in",
    )


def run(args: argparse.Namespace, lang: Language) -> Answer:
    """List the cards, or show one."""
    if args.card is None and not (args.draw is None and args.blank is None):
        raise Problems([_no_card("--blank" if args.draw is None else "--draw")], lang)
    if args.card is None:
        cards = [read_card(name, lang) for name in card_names()]
        return Answer(
            (listed(lang), RUN.say(lang)),
            {"models": [summary(c) for c in cards], "methods": [method_summary(m) for m in own_methods()]},
        )
    own = args.card in METHODS
    if own and args.card not in card_names():
        return described(method_of(args.card), args, lang)
    name = args.card.removesuffix("_card")
    if name not in card_names() and not name.endswith((".yaml", ".yml")):
        raise Problems([_unknown(name)], lang)
    card = read_card(name, lang)
    # where a model with code of its own bears the card's name, the empty codebook is that of its forms
    shown = argparse.Namespace(draw=None, blank=args.blank)
    before = described(method_of(args.card), shown, lang) if own else Answer((), {})
    written = []
    if args.draw is not None:
        target = args.draw if args.draw.name else Path(f"{card.id}.svg")
        target.write_text(drawing(card, lang), encoding="utf-8")
        written.append(target)
    if args.blank is not None and not own:
        target = args.blank if args.blank.name else Path(f"{card.id}_codebook.yaml")
        write_blank(target, card.codebook_text(lang))
        written.append(target)
    said = [Text(f"Written: {path}", f"已写入：{path}").say(lang) for path in written]
    lines = (*(("", *card.describe(lang)) if own else card.describe(lang)), *(["", *said] if said else []))
    return Answer((*before.blocks, *lines), {"written": written, "card": card, **before.data})


def listed(lang: Language) -> Grid:
    """One line per model, cards and others together, in the order of the twelve; what stands around them last."""
    headings = (
        Text("no.", "序号"),
        Text("name", "名称"),
        Text("year", "年份"),
        Text("model", "模型"),
        Text("needs", "需要"),
    )
    rows = [_line(method, lang) for method in in_order(methods_of())]
    return Grid(tuple(h.say(lang) for h in headings), tuple(rows), (">", "<", ">", "<", "<"))


def in_order(methods: Iterable[Method]) -> list[Method]:
    """Models by their place among the twelve, those that have none last.

    Example:
        >>> [m.number for m in in_order(methods_of())][:3]
        [1, 2, 2]
    """
    return sorted(methods, key=lambda m: m.number or LAST)


def _line(method: Method, lang: Language) -> tuple[str, ...]:
    """A model's number, name, year, title, needs; a provisional one says so."""
    stop = "；" if lang == "zh" else "; "
    number, title = str(method.number or ""), method.title.say(lang)
    card = card_of(method)
    title += PROVISIONAL.say(lang) if card and card.provisional else ""
    if card is None:
        return number, method.name, "", title, stop.join(n.what.say(lang) for n in method.needs)
    needed = [b for b in card.constructs.values() if not b.of and not b.optional]
    optional = sum(b.optional and not b.of for b in card.constructs.values())
    count = Text(f"{len(needed)} construct{'s' * (len(needed) != 1)}", f"{len(needed)} 个构念").say(lang)
    if not needed:
        count = Text(f"some of {optional} constructs", f"{optional} 个构念中的若干个").say(lang)
    shown = [*forms(card)] if forms(card) else list(dict.fromkeys(b.form for b in card.constructs.values() if not b.of))
    asked = Text(f"forms {', '.join(shown)}", f"形式 {'、'.join(shown)}").say(lang)
    parts = [count, asked, *columns(card)]
    return number, method.name, str(card.year), title, stop.join(parts)


def card_of(method: Method) -> Card | None:
    """The card behind a model; None for one with code of its own.

    Example:
        >>> [getattr(card_of(m), "id", None) for m in methods_of() if m.name.startswith("servqual")]
        [None, 'servqual']
    """
    name = method.name.removesuffix("_card")
    own = method.name in METHODS
    return None if own or name not in card_names() else read_card(name)


def forms(card: Card) -> list[str]:
    """The forms of items that a card needs, each once."""
    return list(dict.fromkeys(b.form for b in card.constructs.values() if not b.of and not b.optional))


def columns(card: Card) -> list[str]:
    """The columns that a card needs beside its items."""
    group = [card.requires.group] if card.requires.group else []
    return [*card.requires.columns, *group]


def described(method: Method, args: argparse.Namespace, lang: Language) -> Answer:
    """A model with code of its own: what it is for, what it needs, its options, an empty codebook where asked for.

    Raises:
        Problems: E-CARD where a drawing is asked for.
    """
    if args.draw is not None:
        en, zh = f"{method.name} has no card to draw.", f"{method.name} 没有可绘制的模型卡。"
        do, do_zh = "csi models lists the cards.", "csi models 列出全部模型卡。"
        raise Problems([problem("E-CARD", "csi models", en, zh, do, do_zh)], lang)
    known = guide(method.name)
    wants = (Text(f"Needs {n.what.en}: {n.add.en}.", f"需要{n.what.zh}：{n.add.zh}。").say(lang) for n in method.needs)
    takes = (f"  --{name}  {HELP[name].say(lang)}" for name in method.options)
    heading = [Text("Options", "选项").say(lang)] if method.options else []
    lines = (f"{method.name}  {method.title.say(lang)}", *(known.lines(lang) if known else ()), *wants)
    data = {"method": method_summary(method), "guide": known}
    if args.blank is None:
        return Answer((*lines, *heading, *takes), data)
    target = args.blank if args.blank.name else Path(f"{method.name}_codebook.yaml")
    write_blank(target, blank_of(method.name, method.title, lang))
    said = Text(f"Written: {target}", f"已写入：{target}").say(lang)
    return Answer((*lines, *heading, *takes, "", said), {**data, "written": [target]})


def write_blank(target: Path, content: str) -> None:
    """Write an empty codebook where no file is yet: one that was filled in is not lost.

    Raises:
        Problems: E-OUT where the file is there already.
    """
    if target.exists():
        en, zh = f"{target} is there already and was left as it is.", f"{target} 已存在，未作改动。"
        do, do_zh = "Name another file: --blank FILE.", "请指定其他文件：--blank 文件名。"
        raise Problems([problem("E-OUT", "--blank", en, zh, do, do_zh)])
    target.write_text(content, encoding="utf-8")


def method_summary(method: Method) -> dict[str, object]:
    """A model's line for machines."""
    needs = [{"what": n.what, "add": n.add} for n in method.needs]
    return {
        "name": method.name,
        "number": method.number,
        "title": method.title,
        "needs": needs,
        "options": method.options,
    }


def summary(card: Card) -> dict[str, object]:
    """A card's line for machines."""
    return {
        "id": card.id,
        "number": card.number,
        "year": card.year,
        "title": card.title,
        "constructs": list(card.constructs),
        "needs": {n: b.counts for n, b in card.constructs.items() if not b.optional and not b.of},
        "optional": [n for n, b in card.constructs.items() if b.optional],
        "forms": forms(card),
        "columns": columns(card),
        "engines": list(card.engines),
        "paths": [a.name for a in card.arrows],
        "provisional": card.provisional,
    }


def drawing(card: Card, lang: Language) -> str:
    """The card's diagram: constructs and arrows, no numbers."""
    # the figures are loaded only when a drawing is asked for
    from csi.reporting.figures.diagram import card_diagram

    return card_diagram(card, lang=lang)


def _no_card(option: str) -> Problem:
    """A file was asked for and no card named."""
    return problem(
        "E-CARD",
        "csi models",
        f"{option} needs a card.",
        f"{option} 需要指定模型卡。",
        f"Write the card before it: csi models acsi {option}.",
        f"请把模型卡写在前面：csi models acsi {option}。",
    )


def _unknown(name: str) -> Problem:
    """No card and no model bears the name."""
    known = [*card_names(), *METHODS]
    hint, listed = did_you_mean(name, known), ", ".join(dict.fromkeys(known))
    hint = hint if "?" in hint.en else Text("", "")
    en, zh = f'there is no model or card "{name}".', f"没有模型或模型卡“{name}”。"
    do, do_zh = f"{hint.en} Known: {listed}.".strip(), f"{hint.zh}可用：{listed.replace(', ', '、')}。"
    return problem("E-CARD", "csi models", en, zh, do, do_zh)
