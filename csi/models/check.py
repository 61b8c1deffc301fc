"""What is wrong with a model as a whole: for every engine (`check_model`) and for composites (`check_composites`)."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator

from csi.errors import Problem, Text, did_you_mean
from csi.models.composites import circles, find_cycle, shared_items, untouched, without_items
from csi.models.nouns import Claim, Modifier
from csi.models.syntax.cursor import Cursor
from csi.models.syntax.expression import read_expression
from csi.models.syntax.places import Source, Spot
from csi.models.syntax.tokens import Token, tokens

Places = dict[tuple[str, str, str], Spot]
"""Where things stand: relations by (lhs, operator, rhs), names by (name, "", ""), labels by (label, "label", "")."""

_NOWHERE = Source("")


def check_model(model: Claim) -> list[Problem]:
    """What no engine can fit: self loops, constructs without items, doubled paths, misspelt names, unknown labels.

    Parameters:
        model: a `Model` (or a `Claim`).

    Returns:
        all problems; an empty list when there is none.

    Example:
        >>> from csi.models.model import Construct, Model, Path, Term
        >>> check_model(Model((Construct("sat", "=~", (Term("s1"),)),), (Path("sat", Term("sat")),)))[0].code
        'E-PATH'
    """
    return check_claim(model, {}, _NOWHERE)


def check_claim(claim: Claim, places: Places, source: Source) -> list[Problem]:
    """`check_model` with the places of a text, so that problems point at it.

    Example:
        >>> check_claim(Claim(()), {}, Source(""))
        []
    """
    checks = (_self_loops, _empty, _names, _twice, _labels, _groups, _higher_order_cycles)
    return [p for check in checks for p in check(claim, places, source)]


def check_composites(model: Claim) -> list[Problem]:
    """What composite estimation (PLS) cannot fit beyond `check_model`.

    An item in two constructs, a cycle in the paths, an arrow from or to something without items, a construct that no
    arrow touches.

    Parameters:
        model: a `Model` (or a `Claim`).

    Returns:
        all problems; an empty list when there is none.

    Example:
        >>> from csi.models.model import Model
        >>> text = "a =~ x1 + x2; b =~ x2 + x3; b ~ a; a ~ b"
        >>> for found in check_composites(Model.parse(text)):
        ...     print(found.say())
        model: item "x2" is in 2 constructs: a, b. Keep it in one of them; composites cannot share an item.
        model: the paths run in a circle: a -> b -> a. Take one of these arrows out.
    """
    checks = (shared_items, circles, without_items, untouched)
    return [*check_model(model), *(p for check in checks for p in check(model))]


def _self_loops(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """`a ~ a` and `a =~ a`."""
    for path in claim.paths:
        if path.outcome == path.predictor.name:
            what = Text(f'"{path.outcome}" points at itself.', f"“{path.outcome}”指向自身。")
            remedy = Text('Take this arrow out; a variance is written with "~~".', "请删去此路径；方差请用“~~”。")
            yield source.problem(places.get((path.outcome, "~", path.outcome)), "E-PATH", what, remedy)
    for construct in claim.constructs:
        if construct.name in construct.items:
            name = construct.name
            what = Text(f'construct "{name}" is named like its item.', f"构念“{name}”与其题项同名。")
            remedy = Text(f"Give the construct another name, such as {name}_c.", f"请为构念另取名称，例如 {name}_c。")
            yield source.problem(places.get((name, construct.operator, name)), "E-CONSTRUCT", what, remedy)


def _empty(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Constructs with neither items nor a product."""
    for construct in claim.constructs:
        if not construct.indicators and not construct.product_of:
            what = Text(f'construct "{construct.name}" has no items.', f"构念“{construct.name}”没有题项。")
            remedy = Text(f"Add {construct.name} =~ item1 + item2.", f"请补充 {construct.name} =~ 题项1 + 题项2。")
            yield source.problem(places.get((construct.name, "", "")), "E-CONSTRUCT", what, remedy)


def _names(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Names in paths and covariances that look like a misspelt construct."""
    products = {c.name: c.product_of for c in claim.constructs if c.product_of}
    known = [n for n in claim.names if n not in products]
    used = [n for p in claim.paths for n in (p.outcome, p.predictor.name)]
    used += [n for c in claim.covariances for n in (c.lhs, c.rhs.name)]
    parts = dict.fromkeys(part for n in used for part in products.get(n, (n,)))
    for name in parts:
        if name in known or name in claim.items:
            continue
        remedy = _meant(name, known)
        if remedy is not None:
            what = Text(f'"{name}" is not a construct of this model.', f"模型中没有构念“{name}”。")
            yield source.problem(places.get((name, "", "")), "E-CONSTRUCT", what, remedy)


def _meant(name: str, known: list[str]) -> Text | None:
    """The remedy for a name that is nearly a construct's; None for what may well be an observed variable."""
    parts = name.split(".")
    if len(parts) > 1 and set(parts) <= set(known):
        product = ":".join(parts)
        return Text(f'An interaction is written "{product}".', f"交互项请写成“{product}”。")
    close = difflib.get_close_matches(name.casefold(), [k.casefold() for k in known], n=1, cutoff=0.8)
    if not close:
        return None
    best = next(k for k in known if k.casefold() == close[0])
    other = name.casefold() != close[0]
    numbered = name.strip("0123456789_") == best.strip("0123456789_") or name.startswith(best)
    return None if other and (numbered or len(name) < 5) else did_you_mean(best, [best])


def _twice(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Paths, or items of one construct, stated twice (in models not made from text)."""
    paths = Counter((p.outcome, "~", p.predictor.name) for p in claim.paths)
    items = Counter((c.name, c.operator, i) for c in claim.constructs for i in c.items)
    names = Counter(("construct", "", name) for name in claim.names)
    for key in (k for k, n in (names + paths + items).items() if n > 1):
        stated = " ".join(part for part in key if part)
        what = Text(f'"{stated}" is stated twice.', f"“{stated}”重复出现。")
        yield source.problem(places.get(key), "E-DUPLICATE", what, Text("Leave one of them out.", "请删去其中一处。"))


def _labels(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Labels that definitions and constraints use and no parameter bears."""
    known = _known_labels(claim) | {d.name for d in claim.defined}
    texts = [d.expression for d in claim.defined] + [t for c in claim.constraints for t in (c.lhs, c.rhs)]
    used = dict.fromkeys(t.text for text in texts for t in _labels_in(text))
    for label in (n for n in used if n not in known):
        what = Text(f'no parameter has the label "{label}".', f"没有参数使用标签“{label}”。")
        hint = (
            did_you_mean(label, known) if known else Text("Write a label before a term: a*x.", "请在项前写标签：a*x。")
        )
        yield source.problem(places.get((label, "label", "")), "E-LABEL", what, hint)
    circle = find_cycle({d.name: [t.text for t in _labels_in(d.expression)] for d in claim.defined})
    if circle:
        chain = " -> ".join(circle)
        what = Text(f"definitions use one another in a circle: {chain}.", f"定义互相引用，形成循环：{chain}。")
        remedy = Text("Write one of them out in labels.", "请把其中一个直接用标签写出。")
        yield source.problem(places.get((circle[0], "label", "")), "E-CYCLE", what, remedy)


def _labels_in(text: str) -> tuple[Token, ...]:
    """The labels of an expression."""
    return read_expression(Cursor(tokens(text))).labels


def _known_labels(claim: Claim) -> set[str]:
    """Labels of parameters."""
    return {m.label for modifiers in _modifiers(claim).values() for m in modifiers if m.label}


def _modifiers(claim: Claim) -> dict[tuple[str, str, str], tuple[Modifier, ...]]:
    """The modifiers of every relation."""
    items = {(c.name, c.operator, t.name): t.modifiers for c in claim.constructs for t in c.indicators}
    paths = {(p.outcome, "~", p.predictor.name): p.predictor.modifiers for p in claim.paths}
    covariances = {(c.lhs, "~~", c.rhs.name): c.rhs.modifiers for c in claim.covariances}
    return items | paths | covariances | {(i.lhs, "~", "1"): i.modifiers for i in claim.intercepts}


def _groups(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Terms whose c(...) counts other groups than the first one does."""
    counts = {key: len(m) for key, m in _modifiers(claim).items() if len(m) > 1}
    groups = next(iter(counts.values()), 0)
    for key in (k for k, n in counts.items() if n != groups):
        what = Text(
            f'"{" ".join(key)}" has modifiers for {counts[key]} groups, the model for {groups}.',
            f"“{' '.join(key)}”给了 {counts[key]} 组修饰，而模型为 {groups} 组。",
        )
        remedy = Text("Give one value per group in every c(...).", "每个 c(...) 都应逐组各给一个值。")
        yield source.problem(places.get(key), "E-MODIFIER", what, remedy)


def _higher_order_cycles(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Constructs that measure one another in a circle."""
    circle = find_cycle({c.name: [i for i in c.items if i != c.name] for c in claim.constructs})
    if circle:
        chain = " -> ".join(circle)
        what = Text(f"constructs measure one another in a circle: {chain}.", f"构念互相测量，形成循环：{chain}。")
        remedy = Text("A higher-order construct stands above its parts only.", "高阶构念只能由低阶构念测量。")
        yield source.problem(places.get((circle[0], "", "")), "E-CYCLE", what, remedy)
