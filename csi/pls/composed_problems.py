"""What keeps higher-order constructs and products of a model from being estimated by composites."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from csi.errors import Problem, problem
from csi.models.nouns import Claim, Construct
from csi.moments.stack import Moments


def composed_problems(model: Claim, interaction: str = "two-stage") -> list[Problem]:
    """What keeps higher-order constructs and products of a model from being estimated.

    Example:
        >>> from csi.models.model import Model
        >>> print(composed_problems(Model.parse("a =~ x; top =~ a; y =~ z; y ~ top"))[0].say())
        construct "top": a higher-order construct needs two components or more; it has only "a". Add a component, or \
use "a" itself in the paths.
    """
    names = set(model.names)
    made = [c for c in model.constructs if names & set(c.items)]
    below = {part: c.name for c in made for part in c.items if part in names}
    found = [p for c in made for p in _component_problems(c, names)]
    found += _arrow_problems(model, below)
    multiplied = [c for c in model.constructs if c.product_of]
    return found + [p for c in multiplied for p in _product_problems(model, c, below, interaction)]


def absent_items(model: Claim, moments: Moments) -> list[Problem]:
    """Items of the model that the moments do not have."""
    return [
        problem(
            "E-ROLE",
            f'construct "{c.name}"',
            f'item "{i}" is not among the data.',
            f"数据中没有题项“{i}”。",
            "Check its name in the model and the codebook.",
            "请检查模型与编码簿中的名称。",
        )
        for c in model.constructs
        for i in c.items
        if i not in moments.names and i not in model.names
    ]


def _component_problems(construct: Construct, names: set[str]) -> list[Problem]:
    """Too few components; items among them; products among them."""
    place, parts = f'construct "{construct.name}"', [i for i in construct.items if i in names]
    items = [i for i in construct.items if i not in names]
    if items:
        en = f"it is measured by constructs ({', '.join(parts)}) and by items ({', '.join(items)}) at once."
        zh = f"它同时由构念（{'、'.join(parts)}）与题项（{'、'.join(items)}）测量。"
        do, do_zh = "Give the items a construct of their own.", "请让这些题项另组成一个构念。"
        return [problem("E-PLS", place, en, zh, do, do_zh)]
    if len(parts) < 2:
        one = parts[0]
        en = f'a higher-order construct needs two components or more; it has only "{one}".'
        zh = f"高阶构念至少需要两个组成构念，现仅有“{one}”。"
        do, do_zh = (
            f'Add a component, or use "{one}" itself in the paths.',
            f"请补充组成构念，或在路径中直接使用“{one}”。",
        )
        return [problem("E-PLS", place, en, zh, do, do_zh)]
    return []


def _arrow_problems(model: Claim, below: Mapping[str, str]) -> list[Problem]:
    """Arrows at the component of a higher-order construct."""
    ends = dict.fromkeys(n for p in model.paths for n in (p.outcome, p.predictor.name) if n in below)
    return [
        problem(
            "E-PLS",
            f'construct "{name}"',
            f'it is a component of "{below[name]}" and has an arrow of its own.',
            f"它是“{below[name]}”的组成构念，又单独带有路径。",
            f'Let the arrow start or end at "{below[name]}".',
            f"请让路径连到“{below[name]}”。",
        )
        for name in ends
    ]


def _product_problems(model: Claim, construct: Construct, below: Mapping[str, str], interaction: str) -> list[Problem]:
    """What makes no sense as a product, or cannot be estimated."""
    place, factors = f'"{construct.name}"', construct.product_of
    outcomes = [p.outcome for p in model.paths if p.predictor.name == construct.name]
    found: list[tuple[str, str, str, str]] = []
    for name in (n for n in dict.fromkeys(factors) if n in below):
        en, zh = f'"{name}" is a component of "{below[name]}".', f"“{name}”是“{below[name]}”的组成构念。"
        found.append((en, zh, f'Multiply "{below[name]}".', f"请改用“{below[name]}”相乘。"))
    for name in (n for n in dict.fromkeys(factors) if factors.count(n) > 2):
        en, zh = f'"{name}" is multiplied by itself more than once.', f"“{name}”自乘超过一次。"
        found.append((en, zh, f'Write "{name}:{name}" for its quadratic term.', f"二次项请写成“{name}:{name}”。"))
    if any(p.outcome == construct.name for p in model.paths):
        en, zh = "nothing can lead to a product.", "乘积项不能作为结果变量。"
        found.append((en, zh, "Take this arrow out.", "请删去该路径。"))
    for outcome in (y for y in outcomes if y in factors):
        en, zh = f'"{outcome}" is explained by a product of itself.', f"“{outcome}”由含其自身的乘积项解释。"
        found.append((en, zh, "Multiply two of its predictors.", "请用其预测构念相乘。"))
    found += [words for outcome in outcomes for words in _without_lower(model, construct, outcome, below)]
    if interaction != "two-stage":
        found += _indicator_problems(model, factors)
    return [problem("E-PLS", place, *words) for words in found]


def _without_lower(
    model: Claim, construct: Construct, outcome: str, below: Mapping[str, str]
) -> list[tuple[str, str, str, str]]:
    """A product without the main effects and the lesser products it is made of: it has no meaning alone."""
    factors, names = construct.product_of, model.names
    there = {tuple(sorted(model[n].product_of or (n,))) for n in model.predictors(outcome) if n in names}
    alike = sorted(factors, key=factors.index)
    parts = dict.fromkeys(part for size in range(1, len(factors)) for part in combinations(alike, size))
    known = [p for p in parts if all(n in names and n not in below and n != outcome for n in p)]
    absent = [":".join(part) for part in known if tuple(sorted(part)) not in there]
    if not absent or any(factors.count(n) > 2 for n in factors):
        return []
    whole = sorted([*model.predictors(outcome), *absent], key=lambda name: name.count(":"))
    said = f"{outcome} ~ {' + '.join(whole)}"
    en = f'the product explains "{outcome}" without {", ".join(absent)} themselves; it has no meaning alone.'
    zh = f"乘积项解释“{outcome}”，但缺少其主效应或低阶乘积（{'、'.join(absent)}），无法单独解读。"
    return [(en, zh, f"Write {said}.", f"请写成 {said}。")]


def _indicator_problems(model: Claim, factors: tuple[str, ...]) -> list[tuple[str, str, str, str]]:
    """Products that have no product indicators: of three constructs, of a higher-order construct."""
    names, found = set(model.names), []
    do, do_zh = 'Use interaction="two-stage".', '请使用 interaction="two-stage"。'
    if len(factors) > 2:
        found.append(
            ("a product of three constructs has no product indicators.", "三个构念的乘积没有乘积指标。", do, do_zh)
        )
    for name in dict.fromkeys(f for f in factors if f in names and names & set(model[f].items)):
        en, zh = f'"{name}" has no items of its own to multiply.', f"“{name}”没有可相乘的题项。"
        found.append((en, zh, do, do_zh))
    return found
