"""How expectation is made anew from wave to wave: from what was expected and what came, and whose experience moves it.

Letters: `n` people, `W` waves.

Source:
    Boulding, Kalra, Staelin & Zeithaml (1993), Journal of Marketing Research 30, 7-27; Rust, Inman, Jia & Zahorik
    (1999), Marketing Science 18, 77-92.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from csi.display import Shown, text
from csi.errors import Note, Problem, Problems, Text, problem
from csi.estimate.given import check_panel
from csi.expectation.dynamic_asked import Asked, Roles, rows_asked, should_of
from csi.expectation.dynamic_equations import ALPHA, Gains, Solved, equations, gains, judged_claim
from csi.expectation.dynamic_words import (
    COEFFICIENTS,
    HEADINGS,
    notes_of,
    order_sentences,
    sentences_of,
    worded,
)
from csi.expectation.settings import check
from csi.expectation.wide import RETURNING
from csi.inference.order import Order, order
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.codebook import Form
from csi.survey.panel import Panel

NUMBERS = ("estimate", "std_error", "df", "conf_low", "conf_high")
TABLE = {
    "equation": pl.String, "coefficient": pl.String, "people": pl.Int64, "n": pl.Int64,
    **dict.fromkeys(NUMBERS, pl.Float64), "claim": pl.String, "p_value": pl.Float64, "found": pl.String,
}  # fmt: skip
GAINS = {
    "stage": pl.String, "people": pl.Int64, "n": pl.Int64, **dict.fromkeys(NUMBERS, pl.Float64),
    "by_experience": pl.Float64, "by_expectation": pl.Float64,
}  # fmt: skip
STEPS = {
    "first": pl.String, "second": pl.String, **dict.fromkeys(NUMBERS, pl.Float64), "p_value": pl.Float64,
    "found": pl.String,
}  # fmt: skip
CLAIMED = {
    ("will", "a"): "between", ("free", "g"): "above", ("should", "u"): "above", ("should", "d"): "above",
    ("experience", "e"): "above", ("experience", "f"): "above",
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Dynamic(Shown):
    """Equations of expectation over waves.

    Attributes:
        table: equation ("will", "free", "should", "experience"), coefficient ("a", "g", "sum" (a + g - 1), "c", "d",
            "u", "e", "f", "h"), people, n (person-waves), estimate, std_error (by person), df, conf_low, conf_high,
            claim ("between" 0 and 1, "above" 0, "none"), p_value (of the claim, one-sided; of "sum" two-sided), found
            ("found", "contradicted", "open"; "void" where the weights do not add up to 1), flag, reason, reason_zh.
        gains: stage, people, n, estimate (gain K), std_error, df, conf_low, conf_high, by_experience and by_expectation
            (both weights apart, which a gain takes to be alike); no rows without stages.
        steps: first, second (stages), the difference of their gains with one-sided p_value and found.
        order: bootstrap support and GORICA weight of falling gains; None without stages, and, as steps, where both
            weights differ.
        scores: of `csi.adjustment`. waves, people, replicates, seed, level, labels, sentences, notes.
    """

    table: pl.DataFrame
    gains: pl.DataFrame
    steps: pl.DataFrame
    order: Order | None
    scores: pl.DataFrame
    waves: tuple[str, ...]
    people: int
    replicates: int
    seed: int
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()


@text.register
def _(value: Dynamic, lang: str = "en") -> str:
    """Sentences, equations, gains, scores, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.table, value.gains, value.steps, value.scores):
        if frame.height:
            lines += [based(worded(frame, lang, value.labels), HEADINGS, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def dynamic_expectation(
    panel: Panel,
    of: str,
    beside: str,
    *,
    should: str | None = None,
    competing: str | None = None,
    delivered: str | None = None,
    stages: Sequence[str] = (),
    stage_labels: Mapping[str, Text] | None = None,
    form: Form | None = None,
    beside_form: Form | None = None,
    waves: Sequence[str] | None = None,
    where: Mapping[str, str] | None = None,
    returning: float = RETURNING,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Dynamic:
    """Will- and should-expectations over waves, experience by both, and gains that fall with experience.

    Ew_t = k_t + a Ew_(t-1) + (1 - a) P_(t-1);  Es_t = k_t + c Es_(t-1) + d C_(t-1) + u max(P_(t-1) - Es_(t-1), 0);
    P_t = k_t + e Ew_t - f Es_t + h D_t;  dE = k_s + K_s (P - E) at stage s.  Claims: 0 < a < 1, e > 0, f > 0, u > 0,
    d > 0, and K falling with the stages.

    Parameters:
        panel: the same respondents in two waves or more. of: the will-expectation (a construct or item; form Ew where
            it has several). beside: the experience P, on the same scale. should: the should-expectation; `of` in form
            Es where it was asked so. competing: what competitors give. delivered: what was given, as measured.
        stages: names in the panel's column stage, from the newest customers on. stage_labels: in words. form,
            beside_form, waves, where, returning: as in `csi.adjustment`.
        replicates, seed: resamples behind the support of the order. level: of intervals. small, flagged: fewer people
            are withheld, or marked.

    Returns:
        A `Dynamic`; without should-expectations the smaller model, with a note.

    Raises:
        Problems: E-WAVE (repeated cross-sections, one wave), E-ROLE, E-FORM, E-SCALE (series on unequal scales),
            E-STAGE (no column, an unknown stage, one stage), E-BASE, E-SETTING.

    Example:
        >>> import csi
        >>> from csi.survey.codebook import Codebook, Item, Scale
        >>> rng = np.random.default_rng(3)
        >>> e, p = rng.normal(size=(2, 300))
        >>> later = 0.6 * e + 0.4 * p + 0.3 * rng.normal(size=300)
        >>> keys = {"respondent": [str(i) for i in range(300)] * 2, "wave": ["1"] * 300 + ["2"] * 300}
        >>> frame = pl.DataFrame({**keys, "e": np.append(e, later), "p": np.append(p, 0.5 * later)})
        >>> book = Codebook(tuple(Item(i, i, Scale("s", -9, 9), Text(i, i)) for i in "ep"), {}, {})
        >>> none = frame.select(pl.lit(None, pl.String).alias(i) for i in "ep")
        >>> found = dynamic_expectation(csi.Panel(frame, book, none, ("1", "2")), "e", "p")
        >>> row = found.table.row(0, named=True)
        >>> row["coefficient"], round(row["estimate"], 1), row["found"]
        ('a', 0.6, 'found')
    """
    check_panel(panel)
    check(level, replicates=replicates)
    roles = Roles(of, beside, should, competing, delivered)
    asked = rows_asked(panel, roles, {"A": form, "B": beside_form}, tuple(stages), waves, where, returning)
    _few(asked, max(small, 2))
    names = {"A": of, "B": beside, "S": should_of(panel, of, should)[0], "C": competing, "D": delivered}
    labels = {k: Text(panel.codebook.label(n, "en"), panel.codebook.label(n, "zh")) for k, n in names.items() if n}
    if names["S"] == of:
        labels["S"] = Text(f"{labels['S'].en} (should)", f"{labels['S'].zh}（应有）")
    said = {s: (stage_labels or {}).get(s, Text(s, s)) for s in stages}
    return _result(asked, tuple(stages), {**labels, **said}, replicates, seed, level, Bases(small, flagged))


def _few(asked: Asked, least: int) -> None:
    """Enough people with an expectation, the experience before and the expectation before that.

    Raises:
        Problems: E-BASE.
    """
    will, seen = asked.data.values["A"], asked.data.values["B"]
    whole = np.isfinite(will[:, 1:] + will[:, :-1] + seen[:, :-1]).any(axis=1)
    if (count := int(whole.sum())) >= least:
        return
    en = f"{count} people answered expectation in two successive waves and experience in the first; {least} are needed."
    zh = f"连续两期回答期望、且首期回答体验者仅 {count} 人，至少需要 {least} 人。"
    do, do_zh = "Choose other waves (waves=), or ask more people again.", "请另选期次（waves=），或增加回访样本。"
    found: list[Problem] = [problem("E-BASE", "dynamic_expectation", en, zh, do, do_zh)]
    raise Problems(found)


def _result(
    asked: Asked,
    stages: tuple[str, ...],
    labels: Mapping[str, Text],
    replicates: int,
    seed: int,
    level: float,
    bases: Bases,
) -> Dynamic:
    """All that the rows tell."""
    data = asked.data
    rows = _judged([r for name, one in equations(data).items() for r in _coefficients(name, one, level)])
    table = bases.withheld(pl.DataFrame(rows, schema=TABLE, orient="row").fill_nan(None), "people")
    by_stage, steps, test, p_equal = pl.DataFrame(schema=GAINS), pl.DataFrame(schema=STEPS), None, float("nan")
    if asked.stage is not None:
        found = gains(data, asked.stage, stages, data.drawn(replicates, seed))
        by_stage = bases.withheld(_gains(found, stages, level), "people")
        whole = by_stage["estimate"].null_count() == 0
        p_equal = found.p_equal if whole else p_equal
        if whole and not p_equal < ALPHA:
            steps = _steps(found, stages, level)
            test = _order(found, stages, labels, seed)
    return Dynamic(
        table=table,
        gains=by_stage,
        steps=steps,
        order=test,
        scores=bases.withheld(data.table),
        waves=data.waves,
        people=len(data.weight),
        replicates=replicates,
        seed=seed,
        level=level,
        labels=labels,
        sentences=(*sentences_of(table, labels, level), *order_sentences(by_stage, steps, test, labels, p_equal)),
        notes=(
            *notes_of(
                data.values, data.table, staged=asked.stage is not None, told=not by_stage["estimate"].has_nulls()
            ),
            *bases.notes(table.rename({"n": "rows", "people": "n"}), [], COEFFICIENTS),
            *data.notes,
        ),
    )


def _judged(rows: list[list[object]]) -> list[list[object]]:
    """The rows; that a lies between 0 and 1 says nothing where the weights do not add up to 1."""
    p = next((r[-2] for r in rows if r[:2] == ["free", "sum"]), None)
    void = isinstance(p, float) and p < ALPHA
    return [[*r[:-1], "void"] if void and r[:2] == ["will", "a"] else r for r in rows]


def _coefficients(name: str, one: Solved, level: float) -> list[list[object]]:
    """Rows of one equation; of the free one also how far the weights are from adding up to 1."""
    names = one.rows.names
    if one.found is None:
        return [[name, c, one.people, len(one.rows.y), *[float("nan")] * 5, "none", float("nan"), ""] for c in names]
    k = one.found.slopes.size
    told = one.found.combined(np.eye(k)[1 : 1 + len(names)], level)
    out: list[list[object]] = []
    for i, c in enumerate(names):
        numbers = [float(told[x][i]) for x in NUMBERS]
        claim = CLAIMED.get((name, c), "none")
        p, found = judged_claim(claim, numbers[0], numbers[1], numbers[2])
        out.append([name, c, one.people, len(one.rows.y), *numbers, claim, p, found])
    if name == "free":
        L = np.zeros((1, k))
        L[0, 1:3] = 1.0
        whole = one.found.combined(L, level)
        error, df = float(whole["std_error"][0]), float(whole["df"][0])
        value, reach = float(whole["estimate"][0]) - 1, (float(whole["conf_high"][0]) - float(whole["estimate"][0]))
        p = 2 * min(judged_claim("above", value, error, df)[0], judged_claim("below", value, error, df)[0])
        out.append(
            [name, "sum", one.people, len(one.rows.y), value, error, df, value - reach, value + reach, "none", p, ""]
        )
    return out


def _gains(found: Gains, stages: Sequence[str], level: float) -> pl.DataFrame:
    """The gain of every stage."""
    one, apart, S = found.solved.found, found.free.found, len(stages)
    counts = zip(stages, found.people.tolist(), found.n.tolist(), strict=True)
    if one is None or apart is None:
        rows: list[list[object]] = [[*c, *[float("nan")] * (len(NUMBERS) + 2)] for c in counts]
    else:
        told = one.combined(np.eye(one.slopes.size)[found.places], level)
        sides = apart.slopes[found.places], -apart.slopes[found.places + S]
        rows = [
            [*c, *(float(told[x][i]) for x in NUMBERS), *(float(side[i]) for side in sides)]
            for i, c in enumerate(counts)
        ]
    return pl.DataFrame(rows, schema=GAINS, orient="row").fill_nan(None)


def _steps(found: Gains, stages: Sequence[str], level: float) -> pl.DataFrame:
    """Each stage's gain less that of the next."""
    one = found.solved.found
    if one is None:
        return pl.DataFrame(schema=STEPS)
    L = np.zeros((len(stages) - 1, one.slopes.size))
    for i in range(len(stages) - 1):
        L[i, found.places[i]], L[i, found.places[i + 1]] = 1.0, -1.0
    told = one.combined(L, level)
    rows: list[list[object]] = []
    for i in range(len(stages) - 1):
        numbers = [float(told[x][i]) for x in NUMBERS]
        rows.append([stages[i], stages[i + 1], *numbers, *judged_claim("above", numbers[0], numbers[1], numbers[2])])
    return pl.DataFrame(rows, schema=STEPS, orient="row").fill_nan(None)


def _order(found: Gains, stages: Sequence[str], labels: Mapping[str, Text], seed: int) -> Order | None:
    """The order that gains fall."""
    one = found.solved.found
    if one is None:
        return None
    names = [f"K{i + 1}" for i in range(len(stages))]
    values = dict(zip(names, one.slopes[found.places].tolist(), strict=True))
    said = {n: labels[s] for n, s in zip(names, stages, strict=True)}
    V = one.found.cov[np.ix_(found.places, found.places)]
    return order(values, " > ".join(names), V, found.drawn, seed=seed, labels=said)
