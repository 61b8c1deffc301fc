"""Comments of customers (open answers, online reviews): how they sound, what of, against what was expected, who writes.

    comment -> language by script -> sentences and clauses -> attributes by terms -> tone (0 to 1)
            -> mean per person and attribute, themes per cell, reliability from human codes

Source:
    Hutto & Gilbert (2014), ICWSM 8, 216-225 (lexicons with negation and degree); Krippendorff (2011) (codes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from csi.behaviour.comments_read import Read, keyed, read
from csi.behaviour.comments_selection import SCHEMA, selection_table
from csi.behaviour.comments_tables import expected_table, per_person, theme_table, whole_table
from csi.behaviour.comments_words import (
    HEADINGS,
    expected_sentences,
    in_words,
    selection_sentences,
    theme_sentences,
    whole_sentences,
)
from csi.behaviour.text_analysers import Analyser, analysers_of, by_lexicon, sentence_tones
from csi.behaviour.text_aspects import lexicon_of, mentioned
from csi.behaviour.text_expected import disconfirmed
from csi.behaviour.text_language import READ, clauses
from csi.behaviour.text_reliability import TextReliability, text_reliability
from csi.behaviour.text_tone import toned, words
from csi.display import Shown, text
from csi.errors import Note, Text, note
from csi.estimate.given import check_panel
from csi.inference.settings import check_settings
from csi.measures.shown import based, told
from csi.survey.bases import FLAGGED, SMALL, Bases
from csi.survey.events import joined, read_events
from csi.survey.keyed import GROUPING
from csi.survey.panel import Panel


@dataclass(frozen=True, slots=True, repr=False)
class Comments(Shown):
    """What customers write.

    Attributes:
        table: key columns, attribute, n (writers who mention it), mentions (comments), share (of writers) and voice (of
            all mentions) with bounds, tone (mean, 0 to 1) with bounds, negative (share of them) with bounds, flag,
            reason, reason_zh.
        whole: key columns, n, comments, tone, negative with bounds, positive, of all comments with a tone.
        expected: key columns, n, comments that compare with what was expected: below, met, better (shares), balance
            (mean of -1, 0, 1) with bounds.
        counts: language ("zh", "en", "mixed", "unknown", "emoji", "empty"), comments, share.
        selection: writers beside others (`csi.behaviour.comments_selection`); without rows where there are no answers.
        reliability: of the tone, from human codes; None without.
        rows: row, id, text, language, tone, disconfirmation (-1, 0, 1), words (that count), human, keys of the table.
        respondents: id, attribute, n, tone, negative, extreme: one row per person and attribute, to join to answers.
        analyser, level, labels, sentences, notes.
    """

    table: pl.DataFrame
    whole: pl.DataFrame
    expected: pl.DataFrame
    counts: pl.DataFrame
    selection: pl.DataFrame
    reliability: TextReliability | None
    rows: pl.DataFrame
    respondents: pl.DataFrame
    analyser: str
    level: float
    labels: Mapping[str, Text]
    sentences: tuple[Text, ...]
    notes: tuple[Note, ...] = ()
    outcomes: Mapping[str, Text] = field(default_factory=dict)


@text.register
def _(value: Comments, lang: str = "en") -> str:
    """Sentences, all comments, themes, expectations, languages, who writes, reliability, notes."""
    lines = [*(s.say(lang) for s in value.sentences), ""]
    for frame in (value.whole, value.table, value.expected, value.counts, value.selection):
        if frame.height:
            lines += [based(in_words(frame, {**value.labels, **value.outcomes}, lang), HEADINGS, lang), ""]
    if value.reliability is not None:
        lines += [text(value.reliability, lang), ""]
    return "\n".join([*lines, *told((), value.notes, lang)])


def comments(
    texts: object,
    panel: Panel | None = None,
    *,
    lexicon: object = None,
    analyser: str | Analyser | Sequence[Analyser] = "",
    scale: tuple[float, float] | None = None,
    human_scale: tuple[float, float] | None = None,
    outcome: str | Sequence[str] = (),
    by: Sequence[str] = (),
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    small: int = SMALL,
    flagged: int = FLAGGED,
) -> Comments:
    """Tone, themes and expectations of comments in Chinese and English, by cell, with intervals.

    A comment's tone is the user's (column `score`) where there is one; else the package's lexicon scores it, clause by
    clause, or the analysers asked for, sentence by sentence. An attribute's tone is that of the clauses that name it,
    else of their sentence. Comments of one writer go together in every interval; weights, clusters and strata are
    those of the writer's answers.

    Parameters:
        texts: events of kind "texts" (id, text, and optionally lang, date, wave, brand, attribute, score, human_score,
            coder), a frame or a file; several coders of a comment are rows that differ in coder and human_score alone.
        panel: answers; comments of people who did not answer are left out.
        lexicon: terms of attributes: {attribute: terms}, or a frame or file (attribute, term); besides the codebook's
            attributes and their short labels. analyser: "" (scores, else the lexicon), "score", "lexicon", "packages"
            (SnowNLP and VADER), or analysers. scale, human_scale: of scores and of human codes.
        outcome: constructs or items on which writers are compared with others. by: key columns that make cells.
        replicates, seed, level: of intervals. small, flagged: cells of fewer writers are withheld, or marked.

    Returns:
        `Comments`.

    Raises:
        Problems: E-TEXT (no comment can be read, scores off their scale, no such analyser), E-EVENT (columns, ids that
            do not join), E-BY, E-ROLE, E-SETTING.

    Example:
        >>> said = pl.DataFrame({"id": [1, 2, 3], "text": ["理赔很快，超出预期", "Price is too high, slow", "👍"]})
        >>> found = comments(said, lexicon={"claims": ["理赔"], "price": ["price"]}, small=0)
        >>> found.rows.select("language", pl.col("tone").round(2), "disconfirmation").rows()
        [('zh', 0.96, 1), ('en', 0.15, None), ('emoji', None, None)]
    """
    check_settings(level, replicates, seed)
    bases = Bases(small, flagged)
    events = read_events(texts, "texts")
    if panel is not None:
        check_panel(panel)
        events = joined(events, panel)
    said = read(events.frame, scale, human_scale, events.name or "texts")
    way, others = analysers_of(analyser, scored=said.frame["score"].is_not_null().any())
    terms, labels = lexicon_of(lexicon, None if panel is None else panel.codebook)
    rows, found = scored_rows(said, way, others, terms)
    labels = {a: labels.get(a, Text(a, a)) for a in found["attribute"].unique().to_list()}
    rows, design, doubts = keyed(rows, panel, by)
    rows = rows.with_columns(pl.int_range(pl.len()).alias("_at"))
    keys = [k for k in GROUPING if k in by]
    usable = rows.filter(pl.col("tone").is_not_null()).sort("id", "text", "tone")
    names = [a for a in dict.fromkeys((*terms, *labels)) if a in labels]
    themes = bases.withheld(theme_table(usable, found, design, keys, names, level))
    whole = bases.withheld(whole_table(usable, design, keys, level))
    wordings = bases.withheld(expected_table(usable, design, keys, level))
    outcomes = [outcome] if isinstance(outcome, str) and outcome else list(outcome)
    compared = pl.DataFrame(schema=SCHEMA) if panel is None else selection_table(panel, usable, outcomes, level)
    selection = bases.withheld(compared)
    units = rows.with_columns(pl.Series("unit", design.unit))
    trusted = text_reliability(units, said.codes, small=small, replicates=replicates, seed=seed, level=level)
    spoken = {} if panel is None else {o: _label(panel, o) for o in outcomes}
    sentences = (*bases.sentences(whole), *_said(whole, themes, wordings, keys, labels, level))
    sentences += (*selection_sentences(selection, spoken, level), *(trusted.sentences if trusted is not None else ()))
    notes = (*_about(way, others, usable, trusted), *events.notes, *said.notes, *doubts)
    return Comments(
        themes, whole, wordings, said.counts, selection, trusted, rows.drop("_at"), per_person(rows, found),
        _named(way, others), level, labels, sentences if whole.height else (),
        (*notes, *bases.notes(whole, keys), *bases.notes(themes, keys, labels)), spoken,
    )  # fmt: skip


def _said(
    whole: pl.DataFrame,
    themes: pl.DataFrame,
    wordings: pl.DataFrame,
    keys: Sequence[str],
    labels: Mapping[str, Text],
    level: float,
) -> tuple[Text, ...]:
    """What the tables say."""
    return (
        *whole_sentences(whole, keys, level),
        *theme_sentences(themes, keys, labels),
        *expected_sentences(wordings, keys),
    )


def _label(panel: Panel, name: str) -> Text:
    """A construct or item in words."""
    return Text(panel.codebook.label(name, "en"), panel.codebook.label(name, "zh"))


def scored_rows(
    said: Read, way: str, others: Sequence[Analyser], terms: Mapping[str, Sequence[str]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Comments with tone, disconfirmation and words; mentions of attributes (row, attribute, tone)."""
    frame = said.frame
    parts = by_lexicon(clauses(frame.filter(pl.col("language").is_in(list(READ))), words().but))
    sums = parts.group_by("row").agg(pl.col("value", "words", "below", "met", "better").sort().sum()).with_columns(
        disconfirmed(pl.col("better"), pl.col("met"), pl.col("below")).cast(pl.Int64).alias("disconfirmation")
    )  # fmt: skip
    tones = sentence_tones(parts, others)
    if others:
        own = tones.group_by("row").agg(pl.col("tone").drop_nulls().sort().mean())
    else:
        own = sums.select("row", toned(pl.col("value")).alias("tone"))
    rows = frame.join(sums.select("row", "words", "disconfirmation"), on="row", how="left", maintain_order="left")
    rows = rows.join(own, on="row", how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("score").alias("tone") if way == "score" else pl.col("tone"))
    named = mentioned(parts, terms).join(tones, on=["row", "sentence"], how="left", maintain_order="left")
    clause = pl.when((pl.col("words") > 0) & (not others)).then(toned(pl.col("value"))).otherwise(pl.col("tone"))
    found = named.group_by("row", "attribute").agg(clause.drop_nulls().sort().mean().alias("tone"))
    if way == "score" or "attribute" in rows.columns:
        found = _given(rows, found, way)
    kept = [c for c in ("wave", "brand", "date", "attribute") if c in rows.columns]
    columns = ("row", "id", "text", "language", "tone", "disconfirmation", "words", "human", *kept)
    return rows.select(columns), found.sort("row", "attribute")


def _given(rows: pl.DataFrame, found: pl.DataFrame, way: str) -> pl.DataFrame:
    """Mentions with the tone and the attributes that the table says."""
    if "attribute" in rows.columns:
        said = rows.filter(pl.col("attribute").is_not_null()).select("row", "attribute", "tone")
        found = pl.concat([said, found.join(said.select("row"), on="row", how="anti")])
    if way != "score":
        return found
    return found.select("row", "attribute").join(rows.select("row", "tone"), on="row", how="left")


def _named(way: str, others: Sequence[Analyser]) -> str:
    """Who scored, for tables."""
    return ", ".join(a.name for a in others) if others else way


def _about(
    way: str, others: Sequence[Analyser], usable: pl.DataFrame, trusted: TextReliability | None
) -> tuple[Note, ...]:
    """Who scored; how many comments say nothing of tone; what the numbers are not."""
    by = {"score": Text("the table's own scores", "表中给出的得分"), "lexicon": Text("the lexicon", "内置词典")}
    who = by.get(way, Text(_named(way, others), _named(way, others)))
    en = f"tone by {who.en}, 0 to 1 with .5 neutral: a sign with some strength, no interval scale;"
    zh = f"情感得分由{who.zh}给出（0–1，0.5 为中性）：表示方向与大致强弱，并非等距量表；"
    notes = [note("N-TEXT", f"{en} those who write are no sample of all customers.", f"{zh}写评论者不代表全体顾客。")]
    plain = usable.filter(pl.col("words") == 0).height if way == "lexicon" else 0
    if plain:
        en = f"{plain} of {usable.height} comments have no word that says how they sound; they count as neutral."
        notes.append(note("N-TEXT-PLAIN", en, f"{usable.height} 条评论中有 {plain} 条没有表达好恶的词，按中性计。"))
    if trusted is not None:
        notes += trusted.notes
        notes += [Note(r.code, r.text) for r in trusted.reasons.values()]
    return tuple(notes)
