"""The scales of a first codebook: numbers, words with their codes, and words whose order somebody has to give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from csi.cli.guess import Guess
from csi.cli.guess_order import unsure
from csi.cli.guess_words import WordScale
from csi.errors import Language, Text
from csi.simulation.texts import flow

USUAL = {(1, 5): "five", (1, 7): "seven", (1, 10): "ten", (0, 10): "eleven", (0, 1): "binary", (0, 100): "percent"}
"""Names of usual scales."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Names of scales: `columns` {column: scale}, `numbers` {bounds: scale}, `words` the scales in words by name."""

    columns: Mapping[str, str]
    numbers: Mapping[tuple[int, int], str]
    words: Mapping[str, WordScale]

    @property
    def first(self) -> str:
        """The scale of an item that is still to be found."""
        return next(iter((*self.numbers.values(), *(n for n, s in self.words.items() if s.known))), "ten")


def scales_of(found: Guess) -> Scales:
    """A name for each scale in use."""
    spoken = {c for scale in found.words if scale.known for c in scale.columns}
    numbers = {
        bounds: USUAL.get(bounds, f"scale_{bounds[0]}_{bounds[1]}")
        for bounds in dict.fromkeys(bounds for c, bounds in found.scales.items() if c not in spoken)
    }
    words: dict[str, WordScale] = {}
    for scale in found.words:
        base = (
            f"{USUAL.get(scale.bounds, f'scale_{scale.bounds[0]}_{scale.bounds[1]}')}_words" if scale.known else "words"
        )
        words[base if base not in words else f"{base}{sum(n.startswith(base) for n in words) + 1}"] = scale
    columns = {c: numbers[b] for c, b in found.scales.items() if c not in spoken}
    return Scales({**columns, **{c: name for name, s in words.items() for c in s.columns}}, numbers, words)


def lines(found: Guess, scales: Scales, lang: Language) -> Iterator[str]:
    """The lines under `scales:`."""
    for bounds, name in scales.numbers.items():
        labels = {code: " ".join(text.split()) for code, text in found.labels.get(bounds, {}).items()}
        if bounds in found.ends:
            yield f"  # {name}: {found.ends[bounds].say(lang)}"
        yield _line(name, bounds, found.codes.get(bounds, {}), labels)
    for name, scale in scales.words.items():
        labels = {str(code): " ".join(word.split()) for word, code in scale.codes.items()}
        yield from (f"  # {name}: {text.say(lang)}" for text in _told(scale))
        mark = "" if scale.known else "#"
        yield mark + _line(name, scale.bounds, scale.missing, labels)
    if not scales.numbers and not any(s.known for s in scales.words.values()):
        yield _line("ten", (1, 10), {}, {})


def _line(name: str, bounds: tuple[int, int], missing: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """One scale."""
    said: dict[str, object] = {"min": bounds[0], "max": bounds[1], "missing": dict(missing)}
    return f"  {name}: {flow({**said, 'labels': dict(labels)} if labels else said)}"


def _told(scale: WordScale) -> Iterator[Text]:
    """What is to be known of a scale in words."""
    some = ", ".join(" ".join(c.split()) for c in scale.columns[:4]) + (", ..." if len(scale.columns) > 4 else "")
    if not scale.known:
        yield Text(
            f"the order of these words is not known ({some}): number them from lowest to highest, then take the # away",
            f"无法判断这些文字的高低顺序（{some}）：请按从低到高编号，再去掉 #",
        )
        return
    yield Text(
        f"answers in words, in their customary order ({some}); check the codes",
        f"以文字作答，按习惯顺序编码（{some}）；请核对",
    )
    low, high = scale.bounds
    unseen = [str(code) for code in range(low, high + 1) if code not in scale.codes.values()]
    if unseen and high - low < 11 and not all(any(ch.isdigit() for ch in word) for word in scale.codes):
        listed = ", ".join(unseen)
        yield Text(
            f"nobody gave the answer of {listed}: add its word", f"没有人选择代码为 {listed} 的答案：请补上其文字"
        )
    for word in unsure(list(scale.codes)):
        yield Text(
            f'"{word}" is taken for the middle; if it means "don\'t know", move it to missing',
            f"“{word}”按中间值处理；如表示“不知道”，请移到 missing",
        )
