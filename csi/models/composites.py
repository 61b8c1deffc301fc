"""What composite estimation cannot fit: shared items, circles, names without items, constructs no arrow touches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from csi.errors import Problem, Text, did_you_mean
from csi.models.nouns import Claim


def find_cycle(arrows: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The first circle of arrows, its first name repeated at the end; empty when there is none.

    Parameters:
        arrows: from each name, the names it points to.

    Example:
        >>> find_cycle({"a": ["b"], "b": ["c"], "c": ["a"]})
        ('a', 'b', 'c', 'a')
    """
    done: set[str] = set()
    for start in arrows:
        # names on the way here, each with what it still points at
        trail = {} if start in done else {start: iter(arrows[start])}
        while trail:
            here = next(reversed(trail))
            to = next((name for name in trail[here] if name not in done), None)
            if to is None:
                done.add(here)
                del trail[here]
            elif to in trail:
                names = list(trail)
                return (*names[names.index(to) :], to)
            else:
                trail[to] = iter(arrows.get(to, ()))
    return ()


def shared_items(model: Claim) -> Iterator[Problem]:
    """Items that two constructs claim."""
    owners: dict[str, list[str]] = {}
    for construct in model.constructs:
        for item in dict.fromkeys(construct.items):
            owners.setdefault(item, []).append(construct.name)
    for item, names in owners.items():
        if len(names) > 1:
            what = Text(
                f'item "{item}" is in {len(names)} constructs: {", ".join(names)}.',
                f"题项“{item}”同时属于 {len(names)} 个构念：{'、'.join(names)}。",
            )
            remedy = Text(
                "Keep it in one of them; composites cannot share an item.",
                "请只保留在一个构念中；合成变量不能共用题项。",
            )
            yield Problem("E-ITEM-TWICE", "model", what, remedy)


def circles(model: Claim) -> Iterator[Problem]:
    """A circle of arrows, self loops aside."""
    arrows: dict[str, list[str]] = {}
    for path in model.paths:
        if path.outcome != path.predictor.name:
            arrows.setdefault(path.predictor.name, []).append(path.outcome)
    circle = find_cycle(arrows)
    if circle:
        chain = " -> ".join(circle)
        what = Text(f"the paths run in a circle: {chain}.", f"路径形成循环：{chain}。")
        yield Problem("E-CYCLE", "model", what, Text("Take one of these arrows out.", "请删去其中一条路径。"))


def without_items(model: Claim) -> Iterator[Problem]:
    """Names on paths, or multiplied, that no line measures."""
    products = {c.name: c.product_of for c in model.constructs if c.product_of}
    used = dict.fromkeys(n for p in model.paths for n in (p.outcome, p.predictor.name))
    measured = {c.name for c in model.constructs if c.indicators or c.product_of}
    for name in dict.fromkeys(part for n in used for part in products.get(n, (n,))):
        if name not in measured:
            what = Text(f'construct "{name}" has no items.', f"构念“{name}”没有题项。")
            guess = did_you_mean(name, [n for n in model.names if not model[n].product_of])
            add = Text(f"Or add {name}_c =~ {name}.", f"或补充 {name}_c =~ {name}。")
            if name not in model.items:
                add = Text(f"Or add {name} =~ item1 + item2.", f"或补充 {name} =~ 题项1 + 题项2。")
            remedy = Text(f"{guess.en} {add.en}", f"{guess.zh}{add.zh}")
            yield Problem("E-CONSTRUCT", "model", what, remedy)


def untouched(model: Claim) -> Iterator[Problem]:
    """Constructs that no arrow touches and that build no other construct."""
    touched = {n for p in model.paths for n in (p.outcome, p.predictor.name)}
    touched |= {n for c in model.constructs for n in (*c.items, *c.product_of)}
    for name in (n for n in model.names if n not in touched):
        what = Text(f'no arrow touches construct "{name}".', f"没有路径与构念“{name}”相连。")
        remedy = Text(
            f"Add a path such as outcome ~ {name}, or take the construct out; scales without paths are a factor model "
            "(estimate: {estimator: mlr}).",
            f"请补充路径（如 结果 ~ {name}）或删去该构念；只有量表而没有路径时，请用因子模型"
            "（estimate: {estimator: mlr}）。",
        )
        yield Problem("E-PATH", "model", what, remedy)
