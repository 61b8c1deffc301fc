"""What is wrong with a model as a whole: for every engine (`check_model`) and for composites (`check_composites`)."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator

from csi.errors import Problem, Text, did_you_mean
from csi.models.composites import circles, find_cycle, shared_items, untouched, without_items
from csi.models.constraints import constraint_problems, modifiers_of
from csi.models.nouns import Claim
from csi.models.syntax.cursor import Stumble
from csi.models.syntax.expression import expression_of
from csi.models.syntax.places import Places, Source

_NOWHERE = Source("")


def check_model(model: Claim) -> list[Problem]:
    """What no engine can fit.

    Self loops, constructs with neither items nor arrows, doubled paths, misspelt names, unknown labels, constraints
    that contradict each other. Cross-loadings, circles of paths, observed variables on paths, single items and
    constructs that measure others are all allowed.

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
    checks = (
        _self_loops,
        _empty,
        _names,
        _twice,
        _thresholds,
        _expressions,
        _labels,
        _groups,
        _higher_order_cycles,
        constraint_problems,
    )
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
    """Constructs with neither items nor a product; a phantom (`f =~ 0`) is one that something else touches."""
    touched = {n for p in claim.paths for n in (p.outcome, p.predictor.name)}
    touched |= {n for c in claim.covariances if c.lhs != c.rhs.name for n in (c.lhs, c.rhs.name)}
    touched |= {n for c in claim.constructs for n in (*c.items, *c.product_of)}
    for construct in claim.constructs:
        phantom = construct.operator == "=~" and construct.name in touched
        if not construct.indicators and not construct.product_of and not phantom:
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
    """Paths, covariances or items of a construct stated twice (in models not made from text); `f =~ y` and `y ~ f`."""
    paths = Counter((p.outcome, "~", p.predictor.name) for p in claim.paths)
    items = Counter((c.name, c.operator, i) for c in claim.constructs for i in c.items)
    names = Counter(("construct", "", name) for name in claim.names)
    cuts = Counter((t.item, "|", t.name) for t in claim.thresholds)
    shared = Counter((*sorted((c.lhs, c.rhs.name)), "~~") for c in claim.covariances)
    pairs = Counter({(a, "~~", b): n for (a, b, _), n in shared.items()})
    for key in (k for k, n in (names + paths + pairs + items + cuts).items() if n > 1):
        stated = " ".join(part for part in key if part)
        what = Text(f'"{stated}" is stated twice.', f"“{stated}”重复出现。")
        yield source.problem(places.get(key), "E-DUPLICATE", what, Text("Leave one of them out.", "请删去其中一处。"))
    for f, y in ((c.name, i) for c in claim.constructs if c.operator == "=~" for i in c.items):
        if (y, "~", f) in paths:
            what = Text(f'"{f} =~ {y}" and "{y} ~ {f}" are one arrow.', f"“{f} =~ {y}”与“{y} ~ {f}”是同一条路径。")
            remedy = Text("Leave one of them out.", "请删去其中一处。")
            yield source.problem(places.get((y, "~", f)), "E-DUPLICATE", what, remedy)


def _thresholds(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Thresholds and scaling factors of constructs."""
    said = [(t.item, "|", t.name) for t in claim.thresholds] + [(s.item, "~*~", s.item) for s in claim.scalings]
    for key in (k for k in said if k[0] in claim.names):
        what = Text(f'"{key[0]}" is a construct; "{key[1]}" is for items.', f"“{key[0]}”是构念，“{key[1]}”只用于题项。")
        remedy = Text("Name an ordinal item on the left.", "左边请写有序题项的名称。")
        yield source.problem(places.get(key), "E-CONSTRUCT", what, remedy)


def _expressions(claim: Claim, _: Places, source: Source) -> Iterator[Problem]:
    """Definitions and constraints that cannot be read (in models not made from text)."""
    for text in _texts(claim):
        try:
            expression_of(text)
        except Stumble as stumble:
            yield Problem(stumble.code, f'{source.name}, "{text}"', stumble.what, stumble.remedy)


def _texts(claim: Claim) -> list[str]:
    """Every expression of a model."""
    return [d.expression for d in claim.defined] + [t for c in claim.constraints for t in (c.lhs, c.rhs)]


def _labels(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Labels that definitions and constraints use and no parameter bears, and names that are both."""
    labels, names = _known_labels(claim), {d.name for d in claim.defined}
    known = labels | names
    for name in sorted(labels & names):
        what = Text(f'"{name}" is a label and is defined as well.', f"“{name}”既是参数标签又被“:=”定义。")
        remedy = Text("Give the definition another name.", "请为该定义另取名称。")
        yield source.problem(places.get((name, "label", "")), "E-LABEL", what, remedy)
    used = dict.fromkeys(label for text in _texts(claim) for label in _labels_in(text))
    for label in (n for n in used if n not in known):
        what = Text(f'no parameter has the label "{label}".', f"没有参数使用标签“{label}”。")
        hint = (
            did_you_mean(label, known) if known else Text("Write a label before a term: a*x.", "请在项前写标签：a*x。")
        )
        yield source.problem(places.get((label, "label", "")), "E-LABEL", what, hint)
    circle = find_cycle({d.name: _labels_in(d.expression) for d in claim.defined})
    if circle:
        chain = " -> ".join(circle)
        what = Text(f"definitions use one another in a circle: {chain}.", f"定义互相引用，形成循环：{chain}。")
        remedy = Text("Write one of them out in labels.", "请把其中一个直接用标签写出。")
        yield source.problem(places.get((circle[0], "label", "")), "E-CYCLE", what, remedy)


def _labels_in(text: str) -> tuple[str, ...]:
    """The labels of an expression; none when it cannot be read."""
    try:
        return tuple(t.text for t in expression_of(text).labels)
    except Stumble:
        return ()


def _known_labels(claim: Claim) -> set[str]:
    """Labels of parameters."""
    return {m.label for modifiers in modifiers_of(claim).values() for m in modifiers if m.label}


def _groups(claim: Claim, places: Places, source: Source) -> Iterator[Problem]:
    """Terms whose c(...) counts other groups than the first one does."""
    counts = {key: len(m) for key, m in modifiers_of(claim).items() if len(m) > 1}
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
