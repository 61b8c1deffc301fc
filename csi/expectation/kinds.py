"""Kinds of expectation, a table for each: what they are about, said or unsaid, baseline or ideal, basic to exceeding.

    facets      functional, quality, service, emotional, delivery, price: means, gaps, which gap goes with satisfaction
    said        explicit (brought up unasked) or implicit (only when asked about)
    levels      baseline (adequate, Ea), desired (Ed), ideal (Ei), and where perception stands between them
    surprise    basic (must-be or one-dimensional), latent (unsaid but important), exceeding (attractive)

Source:
    Ojasalo (2001), Managing Service Quality 11(3); Zeithaml, Berry & Parasuraman (1993), J. of the Academy of Marketing
    Science 21(1); Kano et al. (1984), Hinshitsu 14(2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problems, Reason, Text, note, problem, reason
from csi.estimate.given import check_panel
from csi.expectation.composites import composite, items_named, scores
from csi.expectation.forms import matched, named
from csi.expectation.kano import kano
from csi.expectation.kano_words import SURE
from csi.expectation.kinds_words import FACETS, lines_of, sentences_of
from csi.expectation.mentions import Mentions, mentions
from csi.expectation.scores import finite
from csi.importance.shares import covariances, regression
from csi.inference.draws import percentiles
from csi.inference.linearised import Design, means
from csi.inference.resample import drawn_weights
from csi.inference.settings import check_settings
from csi.measures.tidy import with_reasons
from csi.moments.sample import sample_of
from csi.moments.stack import Array, Sample
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Codebook, Form
from csi.survey.panel import Panel

LEVELS: Final[tuple[Form, ...]] = ("Ea", "Ed", "Ei")
"""Baseline, desired, ideal."""

RARE: Final = 0.20
"""An expectation that at most this share of the interviewed bring up unasked is unsaid."""


@dataclass(frozen=True, slots=True, repr=False)
class Kinds(Shown):
    """Kinds of expectation; a frame is empty where the answers for it are not there.

    Attributes:
        facets: facet, attributes, n, expected, perceived, gap, std_error, conf_low, conf_high, weight (relative weight
            of the facet's gap for the outcome), share (of R2), share_low, share_high (bootstrap).
        said: as `Mentions.table`.
        levels: attribute, level ("Ea", "Ed", "Ei"), n, mean, perceived, gap (perceived minus level), std_error,
            conf_low, conf_high, short (share of respondents below the level).
        surprise: attribute, n, category (Kano's), support, unaided (share of the interviewed), importance (correlation
            of perception with the outcome), kind ("basic", "latent", "exceeding", "none", "undecided").
            Facets, levels and surprise end with flag, reason, reason_zh (of few answers).
        labels, outcome, level, seed, sentences, notes.
    """

    facets: pl.DataFrame
    said: pl.DataFrame
    levels: pl.DataFrame
    surprise: pl.DataFrame
    labels: Mapping[str, Text]
    outcome: str
    level: float
    seed: int
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Kinds, lang: str = "en") -> str:
    """Sentences, the tables there are, notes."""
    frames = {"facets": value.facets, "said": value.said, "levels": value.levels, "surprise": value.surprise}
    return lines_of(frames, value.sentences, value.notes, value.labels, lang)


def kinds(
    panel: Panel,
    mentioned: object = None,
    *,
    expected: Form = "Ew",
    perceived: Form = "P",
    outcome: str | None = None,
    where: Mapping[str, str] | None = None,
    rare: float = RARE,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Kinds:
    """Every kind of expectation that the answers can tell apart.

    Basic: must-be or one-dimensional. Latent: attractive or indifferent, rarely brought up unasked, and of more than
    median importance for the outcome. Exceeding: attractive otherwise. Undecided: Kano's class has less than 95 %
    bootstrap support.

    Parameters:
        panel: answers with a codebook in which items name attribute, form and facet. mentioned: a `Mentions`, or the
            frame or file that `csi.mentions` reads.
        expected, perceived: forms of the facets' gaps. outcome: a construct or item ("satisfaction" where it is
            there). where: keep only rows with these key values. rare: share of unaided mentions that counts as unsaid.
        replicates, seed, level: of Kano's classes and of the intervals. small, flagged: values of fewer answers are
            withheld, or marked.

    Returns:
        A `Kinds`.

    Raises:
        Problems: E-ROLE (nothing for any of the kinds, or no such outcome), E-MENTIONS, E-KANO, E-SETTING.

    Example:
        >>> kind_of("M", 0.1, 0.5, 0.3), kind_of("I", 0.1, 0.5, 0.3), kind_of("A", 0.6, 0.5, 0.3)
        ('basic', 'latent', 'exceeding')
    """
    check_panel(panel)
    check_settings(level, replicates, seed)
    bases = Bases(small, flagged)
    book = panel.codebook
    target = _outcome(book, outcome)
    found = _found(mentioned, replicates, seed, level)
    attributes = {(i.attribute or i.name): named(i.label, i.attribute or i.name) for i in reversed(book.items)}
    facets = _facets(panel, expected, perceived, target, where, replicates, seed, level)
    levels = _levels(panel, perceived, where, level)
    facets, levels = (bases.withheld(f) if f.height else f for f in (facets, levels))
    surprise = _surprise(panel, found, target, where, rare, replicates, seed, level, bases)
    said = found.table.drop("reason", "reason_zh") if found is not None else pl.DataFrame()
    frames = {"facets": facets, "said": said, "levels": levels, "surprise": surprise}
    if not any(f.height for f in frames.values()):
        en = "no kind of expectation can be told: no facets with both forms, no Ea, Ed, Ei, no Kano pairs, no mentions."
        zh = "无法区分任何期望类型：没有带 facet 的成对题项、没有 Ea/Ed/Ei、没有 Kano 配对题，也没有编码提及。"
        do, do_zh = (
            "Write facet: for items in the codebook, or give mentioned=.",
            "请在编码簿中写 facet:，或给出 mentioned=。",
        )
        raise Problems([problem("E-ROLE", "kinds", en, zh, do, do_zh)])
    labels = {**attributes, **FACETS, **{c: t for c, t in book.constructs.items() if c == target[0]}}
    return Kinds(
        facets=facets,
        said=said,
        levels=levels,
        surprise=surprise,
        labels=labels,
        outcome=target[0],
        level=level,
        seed=seed,
        sentences=sentences_of(frames, labels, target[0]),
        notes=(
            *_bases(bases, facets, levels, surprise, labels),
            *_reasons(surprise, labels),
            *_notes(frames, target[0], rare),
        ),
    )


def kind_of(
    category: str | None, unaided: float | None, importance: float | None, median: float, rare: float = RARE
) -> str:
    """Basic, latent, exceeding or none, from Kano's class, unaided mention and importance.

    Example:
        >>> kind_of("A", None, None, 0.3), kind_of("R", 0.5, 0.5, 0.3)
        ('exceeding', 'none')
    """
    if category in ("M", "O"):
        return "basic"
    unsaid = unaided is not None and unaided <= rare
    matters = importance is not None and importance > median
    if category in ("A", "I") and unsaid and matters:
        return "latent"
    return "exceeding" if category == "A" else "none"


def _outcome(book: Codebook, asked: str | None) -> tuple[str, tuple[str, ...]]:
    """The outcome's name and items; ("", ()) without.

    Raises:
        Problems: E-ROLE.
    """
    items = items_named(book, asked or "satisfaction")
    if asked and not items:
        en, zh = f'"{asked}" is no construct or item.', f"“{asked}”不是构念或题项。"
        do, do_zh = "Name a construct or an item.", "请给出构念或题项。"
        raise Problems([problem("E-ROLE", "outcome", en, zh, do, do_zh)])
    return (asked or "satisfaction", items) if items else ("", ())


def _found(source: object, replicates: int, seed: int, level: float) -> Mentions | None:
    """Mentions as they are, or read."""
    if source is None or isinstance(source, Mentions):
        return source
    return mentions(source, replicates=replicates, seed=seed, level=level)


def _facets(
    panel: Panel,
    expected: Form,
    perceived: Form,
    target: tuple[str, tuple[str, ...]],
    where: Mapping[str, str] | None,
    replicates: int,
    seed: int,
    level: float,
) -> pl.DataFrame:
    """Means and gaps by facet, and what each facet's gap is worth for the outcome."""
    book = panel.codebook
    pairs = _pairs(panel, (perceived, expected))
    if pairs is None:
        return pl.DataFrame()
    facet = {i.name: i.facet for i in book.items}
    of: dict[str, list[int]] = {}
    for j, name in enumerate(pairs[perceived]):
        own = facet[name] or facet[pairs[expected][j]]
        if own:
            of.setdefault(own, []).append(j)
    if not of:
        return pl.DataFrame()
    parts = [
        composite(book, f"{form} {name}", [pairs[form][j] for j in at])
        for form in (perceived, expected)
        for name, at in of.items()
    ]
    last = [composite(book, target[0], target[1])] if target[1] else []
    items = list(dict.fromkeys(i for p in [*parts, *last] for i in p.items))
    sample = sample_of(panel, items, missing="pairwise", where=where)
    Z = scores(sample, [*parts, *last])
    m = len(of)
    P, E = Z[:, :m], Z[:, m : 2 * m]
    both = np.isfinite(P) & np.isfinite(E)
    G = np.where(both, P - E, np.nan)
    found = means(
        np.concatenate([G, np.where(both, P, np.nan), np.where(both, E, np.nan)], axis=1),
        *Design.of(sample, np.arange(len(Z))),
    )
    low, high = found.interval(level)
    blank = dict.fromkeys(("weight", "share", "share_low", "share_high"), np.full(m, np.nan))
    worth = _worth(Z[:, -1], G, sample, replicates, seed, level) if last else blank
    numbers = {
        "expected": found.mean[2 * m :], "perceived": found.mean[m : 2 * m], "gap": found.mean[:m],
        "std_error": found.std_error[:m], "conf_low": low[:m], "conf_high": high[:m], **worth,
    }  # fmt: skip
    head = {"facet": list(of), "attributes": [len(at) for at in of.values()], "n": found.n[:m].astype(np.int64)}
    return pl.DataFrame(head | {c: finite(x) for c, x in numbers.items()})


def _worth(y: Array, G: Array, sample: Sample, replicates: int, seed: int, level: float) -> dict[str, Array]:
    """Relative weights of gaps for an outcome, their shares with bounds; NaN where they cannot be told apart."""
    seen = np.isfinite(y) & np.isfinite(G).all(axis=1)
    blank = np.full(G.shape[1], np.nan)
    if seen.sum() < 5 * (G.shape[1] + 1):
        return dict.fromkeys(("weight", "share", "share_low", "share_high"), blank)
    Z, rows = np.column_stack([y, G])[seen], np.flatnonzero(seen)
    found = regression(covariances(Z, sample.weight[rows][None])[0])
    parts = [covariances(Z, weight) for weight in drawn_weights(sample, replicates, seed, rows)]
    drawn = regression(np.concatenate(parts)[:replicates])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentiles(drawn.weights / drawn.r2[:, None], level)
        return {"weight": found.weights, "share": found.weights / found.r2, "share_low": low, "share_high": high}


def _pairs(
    panel: Panel, forms: Sequence[Form], attributes: Sequence[str] | None = None
) -> dict[Form, tuple[str, ...]] | None:
    """Items of the attributes asked in all of some forms; None where there is none."""
    asked: dict[str, set[Form]] = {}
    for item in panel.codebook.items:
        asked.setdefault(item.attribute or item.name, set()).add(item.form)
    if not any(set(forms) <= own for own in asked.values()):
        return None
    return dict(matched(panel, forms, attributes).items)


def _levels(panel: Panel, perceived: Form, where: Mapping[str, str] | None, level: float) -> pl.DataFrame:
    """Perception beside every level of expectation, attribute by attribute."""
    frames = []
    for form in LEVELS:
        pairs = _pairs(panel, (perceived, form))
        if pairs is None:
            continue
        names = {i.name: i.attribute or i.name for i in panel.codebook.items}
        sample = sample_of(panel, [*pairs[perceived], *pairs[form]], missing="pairwise", where=where)
        frames.append(_level(sample, [names[i] for i in pairs[perceived]], form, level))
    return pl.concat(frames) if frames else pl.DataFrame()


def _level(sample: Sample, attributes: Sequence[str], form: Form, level: float) -> pl.DataFrame:
    """One level."""
    k = len(attributes)
    P, E = sample.rows[:, :k], sample.rows[:, k : 2 * k]
    both = np.isfinite(P) & np.isfinite(E)
    G = np.where(both, P - E, np.nan)
    below = np.where(both, (P < E).astype(np.float64), np.nan)
    blocks = [G, np.where(both, P, np.nan), np.where(both, E, np.nan), below]
    found = means(np.concatenate(blocks, axis=1), *Design.of(sample, np.arange(len(P))))
    low, high = found.interval(level)
    numbers = {
        "mean": found.mean[2 * k : 3 * k], "perceived": found.mean[k : 2 * k], "gap": found.mean[:k],
        "std_error": found.std_error[:k], "conf_low": low[:k], "conf_high": high[:k], "short": found.mean[3 * k :],
    }  # fmt: skip
    head = {"attribute": list(attributes), "level": [form] * k, "n": found.n[:k].astype(np.int64)}
    return pl.DataFrame(head | {c: finite(x) for c, x in numbers.items()})


def _surprise(
    panel: Panel,
    found: Mentions | None,
    target: tuple[str, tuple[str, ...]],
    where: Mapping[str, str] | None,
    rare: float,
    replicates: int,
    seed: int,
    level: float,
    bases: Bases,
) -> pl.DataFrame:
    """Kano's classes with unaided mention and importance, and the kind they make."""
    if _pairs(panel, ("Kf", "Kd")) is None:
        return pl.DataFrame()
    classes = kano(panel, where=where, replicates=max(replicates, 100), seed=seed, level=level, small=0).table
    matters = _importance(panel, classes["attribute"].to_list(), target, where, bases.small)
    known = [v for v in matters.values() if v is not None]
    median = float(np.median(known)) if known else np.nan
    unaided: dict[str, float] = {}
    if found is not None:
        unaided = dict.fromkeys(classes["attribute"], 0.0)
        unaided |= {a: u / found.respondents for a, u in found.table.select("attribute", "unaided").rows()}
    rows = []
    for name, n, category, support in classes.select("attribute", "n", "category", "support").rows():
        kind = kind_of(category, unaided.get(name), matters.get(name), median, rare)
        if support is not None and support < SURE:
            kind = "undecided"
        rows.append((name, n, category, support, unaided.get(name), matters.get(name), kind))
    kinds_ = {"attribute": pl.String, "n": pl.Int64, "category": pl.String, "support": pl.Float64}
    schema = kinds_ | {"unaided": pl.Float64, "importance": pl.Float64, "kind": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    why = _unimportant(panel.codebook, frame, target[1])
    return bases.withheld(with_reasons(frame, why), keep=("unaided",))


NO_OUTCOME: Final = reason("R-NO-OUTCOME", "no importance without an outcome.", "没有结果变量，无法计算重要性。")
NOT_PERCEIVED: Final = reason(
    "R-NOT-PERCEIVED", "no importance: not asked as perceived (form P).", "未以感知（P）提问，无法计算重要性。"
)
NO_SPREAD: Final = reason(
    "R-CONSTANT", "no importance: too few answers, or all the same.", "样本过少或回答全部相同，无法计算重要性。"
)


def _unimportant(book: Codebook, frame: pl.DataFrame, outcome: Sequence[str]) -> list[Reason | None]:
    """Why attributes have no importance."""
    own = {(i.attribute or i.name) for i in book.items if i.form == "P" and i.name not in outcome}
    missing = (NO_OUTCOME if not outcome else NO_SPREAD if a in own else NOT_PERCEIVED for a in frame["attribute"])
    return [why if v is None else None for why, v in zip(missing, frame["importance"], strict=True)]


def _bases(
    bases: Bases, facets: pl.DataFrame, levels: pl.DataFrame, surprise: pl.DataFrame, labels: Mapping[str, Text]
) -> tuple[Note, ...]:
    """What few answers stand behind, each said once."""
    by_attribute = levels.drop("level") if levels.height else levels
    frames = (facets, by_attribute, surprise)
    return tuple(dict.fromkeys(n for f in frames if f.height for n in bases.notes(f, (), labels)))


def _reasons(surprise: pl.DataFrame, labels: Mapping[str, Text]) -> tuple[Note, ...]:
    """Why attributes with enough answers have no importance, each reason with its attributes.

    Example:
        >>> row = {"attribute": ["fast"], "flag": [None], "reason": ["not asked."], "reason_zh": ["未提问。"]}
        >>> _reasons(pl.DataFrame(row), {"fast": Text("Fast", "快")})[0].say("zh")
        '快：未提问。'
    """
    if not surprise.height:
        return ()
    rows = surprise.filter(pl.col("reason").is_not_null() & pl.col("flag").ne_missing("suppressed"))
    notes = []
    for (en, zh), part in rows.group_by("reason", "reason_zh", maintain_order=True):
        names = [labels.get(a, Text(a, a)) for a in part["attribute"]]
        listed, listed_zh = ", ".join(t.en for t in names), "、".join(t.zh for t in names)
        notes.append(Note("W-KINDS", Text(f"{listed}: {en}", f"{listed_zh}：{zh}")))
    return tuple(notes)


def _importance(
    panel: Panel,
    attributes: Sequence[str],
    target: tuple[str, tuple[str, ...]],
    where: Mapping[str, str] | None,
    small: int,
) -> dict[str, float | None]:
    """Correlation of each attribute's perception with the outcome."""
    book = panel.codebook
    own = {(i.attribute or i.name): i.name for i in book.items if i.form == "P"}
    asked = [a for a in attributes if a in own and own[a] not in target[1]]
    if not target[1] or not asked:
        return {}
    parts = [composite(book, target[0], target[1]), *(composite(book, a, [own[a]]) for a in asked)]
    sample = sample_of(panel, list(dict.fromkeys(i for p in parts for i in p.items)), missing="pairwise", where=where)
    Z = scores(sample, parts)
    out: dict[str, float | None] = {}
    for j, name in enumerate(asked, start=1):
        seen = np.isfinite(Z[:, [0, j]]).all(axis=1)
        enough = seen.sum() > 2 and seen.sum() >= small
        S = covariances(Z[seen][:, [0, j]], sample.weight[None, seen])[0] if enough else np.zeros((2, 2))
        out[name] = float(S[0, 1] / np.sqrt(S[0, 0] * S[1, 1])) if min(S[0, 0], S[1, 1]) > 0 else None
    return out


def _notes(frames: Mapping[str, pl.DataFrame], outcome: str, rare: float) -> tuple[Note, ...]:
    """Kinds that cannot be told, and how the others are."""
    needs = {
        "facets": Text("facet: with both forms", "facet: 及两种形式"),
        "said": Text("coded mentions", "编码提及"),
        "levels": Text("forms Ea, Ed or Ei beside P", "与 P 成对的 Ea、Ed 或 Ei"),
        "surprise": Text("pairs of Kano", "Kano 配对题"),
    }
    lacking = [needs[k] for k, f in frames.items() if not f.height]
    notes = []
    if lacking:
        en, zh = "; ".join(t.en for t in lacking), "；".join(t.zh for t in lacking)
        notes.append(note("N-KINDS", f"not told, for want of: {en}.", f"以下类型因缺少数据未给出：{zh}。"))
    if frames["surprise"].height:
        en = (
            f"latent: attractive or indifferent, brought up unasked by at most {100 * rare:g} % and of more than median"
        )
        zh = f"潜在期望：魅力或无差异属性，自发提及不超过 {100 * rare:g}%，且与结果的相关高于中位数。"
        notes.append(note("N-KINDS", f"{en} importance.", zh))
        if not frames["said"].height or not outcome:
            en = "latent expectations cannot be told without both mentions and an outcome."
            notes.append(note("W-KINDS", en, "缺少编码提及或结果变量，无法识别潜在期望。"))
        if (frames["surprise"]["kind"] == "undecided").any():
            en = f"undecided: Kano's class is the most frequent in fewer than {100 * SURE:g} % of resamples."
            zh = f"尚未判定：Kano 类别在重抽样中居首的比例低于 {100 * SURE:g}%。"
            notes.append(note("N-KINDS", en, zh))
    return tuple(notes)
