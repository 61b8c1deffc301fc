"""What is asked of shorter forms, checked all at once, and turned into rules for the items of one construct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from csi.errors import Problem, Problems, did_you_mean, is_number, one_of, problem, seed_problems, whole
from csi.measures.answered import Answered
from csi.measures.folds import fold_problems
from csi.measures.item_analysis.subsets import Rules
from csi.survey.panel import Panel

WORTH = ("correlation", "reliability", "differences")


@dataclass(frozen=True, slots=True)
class Request:
    """The settings of `csi.short_form` as given."""

    k: int | Mapping[str, int] | None
    keep: tuple[str, ...]
    drop: tuple[str, ...]
    cover: Mapping[str, Sequence[str]]
    at_least: int | Mapping[str, int]
    criterion: str | Mapping[str, float]
    reliability: float
    correlation: float
    folds: int
    repetitions: int
    replicates: int
    level: float
    small: int
    seed: int

    @property
    def weights(self) -> dict[str, float]:
        """Criterion -> weight."""
        if isinstance(self.criterion, Mapping):
            return {str(name): float(weight) for name, weight in self.criterion.items()}
        return {self.criterion: 1.0}

    def least(self, facet: str) -> int:
        """Items of a facet that every form holds."""
        return self.at_least.get(facet, 1) if isinstance(self.at_least, Mapping) else self.at_least


def cover_of(data: object, cover: Mapping[str, Sequence[str]] | str | None) -> dict[str, tuple[str, ...]]:
    """Facet -> items; "facet" reads them from a panel's codebook.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> cover_of(None, {"warmth": ["q1", "q2"]})
        {'warmth': ('q1', 'q2')}
    """
    if cover is None:
        return {}
    if isinstance(cover, Mapping):
        return {str(f): (items,) if isinstance(items, str) else tuple(items) for f, items in cover.items()}
    if cover == "facet" and isinstance(data, Panel):
        found: dict[str, tuple[str, ...]] = {}
        for item in data.codebook.items:
            if item.facet:
                found[item.facet] = (*found.get(item.facet, ()), item.name)
        return found
    en = f'facets and their items are expected, or "facet" with a panel, not {cover!r}.'
    zh = f"应为各方面及其题项，或对面板写“facet”，而不是 {cover!r}。"
    do, do_zh = 'Write cover={"warmth": ["q1", "q2"]}.', '请写 cover={"warmth": ["q1", "q2"]}。'
    raise Problems([problem("E-SETTING", "cover", en, zh, do, do_zh)])


def check(request: Request, found: Answered) -> None:
    """Raise everything that is wrong with a request.

    Raises:
        Problems: E-SETTING, E-SHORT-FORM, E-FOLDS.
    """
    problems = [*_names(request, found), *_settings(request), *_rules(request)]
    problems += fold_problems(found.sample, request.folds, request.repetitions, request.seed)
    problems += _lengths(request, found)
    if problems:
        raise Problems(dict.fromkeys(problems))


def _names(request: Request, found: Answered) -> list[Problem]:
    """Items that no scale has, constructs that there are not."""
    problems = []
    given = [("keep", request.keep), ("drop", request.drop)]
    given += [(f'cover "{facet}"', tuple(items)) for facet, items in request.cover.items()]
    for where, items in given:
        for item in dict.fromkeys(items):
            if item not in found.names and not where.startswith("cover"):
                hint = did_you_mean(str(item), found.names)
                en, zh = f'no scale has an item "{item}".', f"量表中没有题项“{item}”。"
                problems.append(problem("E-SHORT-FORM", where, en, zh, hint.en, hint.zh))
        if where.startswith("cover") and not set(items) & set(found.names):
            en, zh = "no scale has an item of this facet.", "没有量表含有该方面的题项。"
            do, do_zh = "Name items of the scales.", "请写出量表中的题项。"
            problems.append(problem("E-SHORT-FORM", where, en, zh, do, do_zh))
    if isinstance(request.k, Mapping):
        problems += [p for name in request.k for p in one_of("k", name, found.scales)]
    if isinstance(request.at_least, Mapping):
        problems += [p for name in request.at_least for p in one_of("at_least", name, request.cover)]
    return problems


def _settings(request: Request) -> list[Problem]:
    """Numbers out of range."""
    problems = [p for name in request.weights for p in one_of("criterion", name, WORTH)]
    weights = request.criterion.values() if isinstance(request.criterion, Mapping) else ()
    if weights and not (all(is_number(w) and w >= 0 for w in weights) and any(weights)):
        en, zh = "weights are numbers from 0, not all of them 0.", "权重应为非负数，且不全为 0。"
        problems.append(
            problem("E-SETTING", "criterion", en, zh, 'Write {"correlation": 1}.', '请写 {"correlation": 1}。')
        )
    for setting in ("reliability", "correlation", "level"):
        value = getattr(request, setting)
        if not is_number(value) or not 0 < value < 1:
            en, zh = (
                f"a number between 0 and 1 is expected, not {value!r}.",
                f"应为 0 到 1 之间的数，而不是 {value!r}。",
            )
            problems.append(problem("E-SETTING", setting, en, zh, f"Write {setting}=0.9.", f"例如 {setting}=0.9。"))
    problems += [*whole("small", request.small), *whole("replicates", request.replicates), *seed_problems(request.seed)]
    if not whole("replicates", request.replicates) and not (request.replicates == 0 or request.replicates >= 50):
        en, zh = f"{request.replicates} replicates make no interval.", f"{request.replicates} 次重抽样不足以给出区间。"
        problems.append(
            problem("E-SETTING", "replicates", en, zh, "Use 0 for none, or 50 and more.", "请用 0 或 50 以上。")
        )
    return problems


def _rules(request: Request) -> list[Problem]:
    """Items that stay and are out at once; numbers of items that facets do not have."""
    problems = []
    both = sorted(set(request.keep) & set(request.drop))
    if both:
        en, zh = f"{', '.join(both)} is to stay and to go.", f"{'、'.join(both)} 同时要求保留与删除。"
        problems.append(problem("E-SHORT-FORM", "keep", en, zh, "Name it once.", "请只写一处。"))
    counts = request.at_least.values() if isinstance(request.at_least, Mapping) else [request.at_least]
    wrong = [p for count in counts for p in whole("at_least", count)]
    for facet, items in request.cover.items() if not wrong else ():
        free = [i for i in items if i not in request.drop]
        if not 1 <= request.least(facet) <= len(free):
            en = f"{request.least(facet)} items are asked of it; it has {len(free)} to give."
            zh = f"要求 {request.least(facet)} 个题项，可用的有 {len(free)} 个。"
            do, do_zh = f"Ask for 1 to {max(len(free), 1)}.", f"请要求 1 至 {max(len(free), 1)} 个。"
            problems.append(problem("E-SHORT-FORM", f'cover "{facet}"', en, zh, do, do_zh))
    return [*problems, *dict.fromkeys(wrong)]


def _lengths(request: Request, found: Answered) -> list[Problem]:
    """Lengths that no form can have: k below two, not below the full form, below what must stay."""
    if request.k is None:
        return []
    asked = request.k if isinstance(request.k, Mapping) else dict.fromkeys(found.scales, request.k)
    wrong = [p for value in dict.fromkeys(asked.values()) for p in whole("k", value)]
    if wrong:
        return wrong
    problems, fits = [], []
    for construct, k in asked.items():
        p = len(found.scales.get(construct, ()))
        stay = [i for i in request.keep if i in found.scales.get(construct, ())]
        fits.append(2 <= k < p and k >= len(stay))
        if construct in found.scales and not fits[-1]:
            most = f"2 to {p - 1}" if p > 2 else "none: it has two items at most"
            en = f"a form of {k} items cannot be: it has {p} items, of which {len(stay)} must stay."
            zh = f"无法构成 {k} 题短版：共 {p} 题，其中 {len(stay)} 题必须保留。"
            do, do_zh = f"Lengths: {most}.", "长度应不少于 2，且少于题项总数。"
            problems.append(problem("E-SHORT-FORM", f'construct "{construct}"', en, zh, do, do_zh))
    return problems if isinstance(request.k, Mapping) or not any(fits) else []


def rules_of(request: Request, items: Sequence[str], still: frozenset[int]) -> Rules:
    """The rules for the items of one construct.

    Parameters:
        items: p names. still: places of items without variance, which no form holds.
    """
    place = {name: j for j, name in enumerate(items)}
    groups = []
    for facet, members in request.cover.items():
        mine = frozenset(place[i] for i in members if i in place)
        if mine:
            groups.append((mine, request.least(facet)))
    out = frozenset(place[i] for i in request.drop if i in place) | still
    stay = frozenset(place[i] for i in request.keep if i in place)
    return Rules(len(items), stay - out, out, tuple(groups))
