"""From text to numbers: every cell of every item becomes an answer or a reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from csi.errors import Problem, Text, problem
from csi.survey.codebook import Codebook, Item, MissingReason
from csi.survey.columns import FILE, ROW, Picked
from csi.survey.panel import RuleEffect
from csi.survey.rules import Rules
from csi.survey.worded import coded, word_problem, word_scales, words_of

WIDE = "０１２３４５６７８９．－＋％"
NARROW = "0123456789.-+%"
WIDE_LIST, NARROW_LIST = pl.lit(list(WIDE)), pl.lit(list(NARROW))
"""The same as expressions, made once."""
REASON = " reason"
TEXT = " text"
DECLARED: tuple[MissingReason, ...] = ("skipped", "dont_know", "refused", "not_asked", "empty")


def clean(text: pl.Expr) -> pl.Expr:
    """Text without surrounding space (the ideographic one included) and with half-width digits.

    Example:
        >>> pl.DataFrame({"q": ["　８ ", "１．５"]}).select(clean(pl.col("q")))["q"].to_list()
        ['8', '1.5']
    """
    return text.str.strip_chars(" \t\r\n\u3000\u00a0").str.replace_many(WIDE_LIST, NARROW_LIST)


def number(text: pl.Expr) -> pl.Expr:
    """The finite number a cleaned text says, else null ("NaN" and "inf" are not answers)."""
    value = text.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def seconds(text: pl.Expr) -> pl.Expr:
    """A duration in seconds: a number, with or without its unit ("85秒", "85 s"), "1分25秒", "1小时2分3秒", "0:01:25".

    Example:
        >>> frame = pl.DataFrame({"d": ["85秒", "1分25秒", "1小时", "0:01:25", "soon"]})
        >>> frame.select(seconds(pl.col("d")).alias("d"))["d"].to_list()
        [85.0, 85.0, 3600.0, 85.0, None]
    """
    plain = clean(text)
    parts = [
        plain.str.extract(pattern, 1).cast(pl.Float64, strict=False).fill_null(0) * each
        for pattern, each in ((r"(\d+)\s*(?:小时|时|h)", 3600), (r"(\d+)\s*(?:分|m)", 60), (r"(\d+)\s*(?:秒|s)", 1))
    ]
    units = r"^(\d+\s*(小时|时|hours?|h)\s*)?(\d+\s*(分钟?|minutes?|min|m)\s*)?(\d+\s*(秒钟?|seconds?|sec|s))?$"
    clock = r"^(?:(\d+):)?(\d+):(\d{2})$"
    told = [plain.str.extract(clock, place).cast(pl.Float64, strict=False) for place in (1, 2, 3)]
    return (
        pl.when(plain.str.contains(r"^\d+:\d+"))
        .then(told[0].fill_null(0) * 3600 + told[1] * 60 + told[2])
        .when(plain.str.contains(units) & plain.str.contains(r"[^\d.]"))
        .then(parts[0] + parts[1] + parts[2])
        .otherwise(number(plain.str.replace(r"\s*(秒|s|sec|seconds)$", "")))
    )


def typed(picked: Picked, codebook: Codebook, roles: Sequence[str]) -> pl.LazyFrame:
    """Numbers and reasons of one file: a column per item and one named `item + REASON` beside it; keys as text.

    An answer in words becomes its code (`worded.words_of`).
    A code declared missing by the codebook, or by the file itself, becomes null with its reason; a blank is `empty`;
    what is no number, or lies outside the scale, is null with that reason (the rules decide whether to stop).
    """
    items = [item for item in codebook.items if item.name not in picked.absent]
    lost = [item.name for item in codebook.items if item.name in picked.absent]
    return (
        picked.frame.with_columns(coded(clean(pl.col(i.name)), words_of(i, picked)).alias(i.name + TEXT) for i in items)
        .with_columns(number(pl.col(i.name + TEXT)).alias(i.name) for i in items)
        .with_columns(_reason(i, codes_of(i, picked)).alias(i.name + REASON) for i in items)
        .with_columns(pl.when(pl.col(i.name + REASON).is_null()).then(pl.col(i.name)).alias(i.name) for i in items)
        .with_columns(pl.lit(None, pl.Float64).alias(name) for name in lost)
        .with_columns(pl.lit("not_asked").alias(name + REASON) for name in lost)
        .with_columns(_key(role, picked).alias(role) for role in roles)
        .select(FILE, ROW, *roles, *codebook.names, *(name + REASON for name in codebook.names))
    )


def codes_of(item: Item, picked: Picked) -> Mapping[str, MissingReason]:
    """Missing codes of an item in a file: those of the file, overruled by those of the codebook."""
    declared = picked.raw.missing.get(picked.columns[item.name], {})
    return {**declared, **item.scale.missing}


def _reason(item: Item, codes: Mapping[str, MissingReason]) -> pl.Expr:
    """Why the cell holds no answer; null where it does. Codes are compared as numbers where they are numbers."""
    text, value = pl.col(item.name + TEXT), pl.col(item.name)
    outside = ~value.is_between(item.scale.minimum, item.scale.maximum)
    reason = pl.when(value.is_null()).then(pl.lit("not_a_number")).when(outside).then(pl.lit("out_of_range"))
    found: pl.Expr = reason.otherwise(None)
    for code, why in codes.items():
        same = value == float(code) if _is_number(code) else text == code.strip()
        found = pl.when(same).then(pl.lit(why)).otherwise(found)
    return pl.when(text.is_null() | (text == "")).then(pl.lit("empty")).otherwise(found)


def _is_number(code: str) -> bool:
    try:
        return float(code) == float(code)
    except ValueError:
        return False


def _key(role: str, picked: Picked) -> pl.Expr:
    """A key column: text without surrounding space, blanks null; absent weights are 1, other absent keys null."""
    if role in picked.absent:
        return pl.lit("1" if role == "weight" else None, pl.String)
    text = pl.col(role).str.strip_chars(" \t\r\n\u3000")
    return pl.when(text != "").then(text)


def turned(codebook: Codebook) -> Iterator[pl.Expr]:
    """The reversed items, turned over: minimum + maximum - answer."""
    for item in codebook.items:
        if item.reverse:
            yield (item.scale.minimum + item.scale.maximum - pl.col(item.name)).alias(item.name)


def cell_effects(frame: pl.DataFrame, codebook: Codebook) -> Iterator[RuleEffect]:
    """How many cells each reason took, and in how many rows."""
    names = [name + REASON for name in codebook.names]
    for reason in (*DECLARED, "not_a_number", "out_of_range"):
        hits = frame.select((pl.col(name) == reason).fill_null(value=False) for name in names)
        per_item = {name: int(hits[column].sum()) for name, column in zip(codebook.names, names, strict=True)}
        cells = sum(per_item.values())
        if cells:
            worst = sorted(per_item, key=lambda name: -per_item[name])[:4]
            detail = ", ".join(f"{name} {per_item[name]}" for name in worst if per_item[name])
            yield RuleEffect(
                reason, "missing", int(hits.select(pl.any_horizontal(names)).to_series().sum()), cells, detail
            )


def wide_digits(picked: Picked, codebook: Codebook) -> dict[str, pl.DataFrame]:
    """The answers typed with full-width digits: item -> its cells, with their row (`ROW`, `typed`)."""
    wide = {n: pl.col(n).str.contains(f"[{WIDE}]").fill_null(value=False) for n in codebook.names}
    counts = picked.frame.select(hit.sum().alias(n) for n, hit in wide.items()).collect().row(0, named=True)
    cells = {n: picked.frame.filter(wide[n]).select(ROW, pl.col(n).alias("typed")) for n in wide if counts[n]}
    return {n: rows.collect(engine="in-memory") for n, rows in cells.items()}


def cell_problems(
    frame: pl.DataFrame, raw: pl.DataFrame, picked: Sequence[Picked], codebook: Codebook, rules: Rules
) -> Iterator[Problem]:
    """A problem per file and item that holds text, or a number outside its scale, where the rules say stop.

    `raw` holds the same rows as `frame`, as typed.
    """
    stops = [reason for reason in ("not_a_number", "out_of_range") if getattr(rules, reason) == "stop"]
    bad: dict[tuple[str, str, str], pl.DataFrame] = {}
    for item in codebook.items:
        column = pl.col(item.name + REASON)
        cells = frame.select(FILE, ROW, column, raw[item.name].alias("typed")).filter(column.is_in(stops))
        for source in picked if cells.height else ():
            for reason in stops:
                rows = cells.filter((pl.col(FILE) == source.raw.name) & (column == reason))
                if rows.height:
                    bad[source.raw.name, item.name, reason] = rows
    answered = {source.raw.name: int((frame[FILE] == source.raw.name).sum()) for source in picked}
    texts = {(file, item): rows for (file, item, reason), rows in bad.items() if reason == "not_a_number"}
    words = word_scales(texts, codebook, answered)
    by_name = {source.raw.name: source for source in picked}
    for (file, name, reason), rows in bad.items():
        if reason != "not_a_number" or (file, codebook[name].scale.name) not in words:
            yield _cell_problem(by_name[file], codebook[name], reason, rows)
    for (file, scale), cells in words.items():
        yield word_problem(file, codebook.scale(scale), cells)


def _cell_problem(source: Picked, item: Item, reason: str, rows: pl.DataFrame) -> Problem:
    where = source.column(item.name)
    listed, listed_zh = said(rows[ROW], rows["typed"])
    first = shown(rows["typed"][0])
    bounds = f"{item.scale.minimum:g}-{item.scale.maximum:g}"
    marks = separated(rows["typed"])
    if reason == "not_a_number":
        one, more = f"answer to {item.name} is not a number", f"answers to {item.name} are not numbers"
        return problem(
            "E-NUMBER",
            where,
            f"{counted(rows.height, one, more)}: {listed}.",
            f"题项 {item.name} 有 {rows.height} 个回答不是数字：{listed_zh}。",
            f"{marks.en}"
            f'Declare it in the codebook (scale {item.scale.name}, missing: {{"{first}": skipped}}), correct it, '
            "or set rules: not_a_number: missing.",
            f"{marks.zh}"
            f'请在编码簿的量表 {item.scale.name} 中声明（missing: {{"{first}": skipped}}），或更正单元格，'
            "或设置 rules 中的 not_a_number: missing。",
        )
    return problem(
        "E-RANGE",
        where,
        f"{counted(rows.height, f'answer to {item.name} lies', f'answers to {item.name} lie')} outside its scale "
        f"{bounds}: {listed}.",
        f"题项 {item.name} 有 {rows.height} 个回答超出量表范围 {bounds}：{listed_zh}。",
        f"Declare the code as missing in the codebook (scale {item.scale.name}), correct the scale, "
        "or set rules: out_of_range: missing.",
        f"请在编码簿的量表 {item.scale.name} 中把该代码声明为缺失，或更正量表，"
        "或设置 rules 中的 out_of_range: missing。",
    )


def separated(typed: pl.Series) -> Text:
    """A sentence where cells are numbers with separators of thousands, or with a decimal comma; else "".

    Example:
        >>> separated(pl.Series(["1,234", "12,345.5"])).en
        'These are numbers with separators of thousands: write 1234, not 1,234. '
        >>> separated(pl.Series(["4,5"])).zh
        '这些是用逗号作小数点的数字：请写 4.5，不要写 4,5。'
    """
    cells = typed.drop_nulls().str.strip_chars().str.replace_all("，", ",")
    if not cells.len():
        return Text("", "")
    first = cells[0]
    if cells.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$").all():
        plain = first.replace(",", "")
        en = f"These are numbers with separators of thousands: write {plain}, not {first}. "
        return Text(en, f"这些是带千位分隔符的数字：请写 {plain}，不要写 {first}。")
    if cells.str.contains(r"^-?\d+,\d+$").all():
        plain = first.replace(",", ".")
        en = f"These are numbers with a decimal comma: write {plain}, not {first}. "
        return Text(en, f"这些是用逗号作小数点的数字：请写 {plain}，不要写 {first}。")
    return Text("", "")


def shown(value: object) -> str:
    r"""A value as a message can bear it: one line, no control characters, at most 40 characters.

    Example:
        >>> shown("red \x1b[31m" + "x" * 50)
        'red ·[31mxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'
    """
    text = "".join(char if char.isprintable() else "·" for char in str(value))
    return text if len(text) <= 40 else text[:40] + "..."


def counted(count: int, one: str, more: str) -> str:
    """A count with the words for one or for several.

    Example:
        >>> counted(1, "answer is no number", "answers are no numbers"), counted(2, "row", "rows")
        ('1 answer is no number', '2 rows')
    """
    return f"{count} {one if count == 1 else more}"


def said(rows: pl.Series, values: pl.Series, most: int = 5) -> tuple[str, str]:
    """The first few rows with what they hold, in English and Chinese.

    Example:
        >>> said(pl.Series([2, 7]), pl.Series(["x", None]))
        ('row 2 "x", row 7 (blank)', '第 2 行“x”、第 7 行（空白）')
    """
    pairs = list(zip(rows.head(most), values.head(most), strict=True))
    more = len(rows) > most
    english = ", ".join(
        f"row {row} " + (f'"{shown(value)}"' if value is not None else "(blank)") for row, value in pairs
    )
    chinese = "、".join(
        f"第 {row} 行" + (f"“{shown(value)}”" if value is not None else "（空白）") for row, value in pairs
    )
    return english + (", ..." if more else ""), chinese + ("……" if more else "")
