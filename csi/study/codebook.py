"""A codebook file (or the codebook part of a study file) as a `Codebook`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.study.explain import Held, held_to
from csi.study.positions import Document, Loc, read_document
from csi.study.schema_survey import CodebookForm, ItemForm, KeysForm, Label, ScaleForm
from csi.survey.codebook import KEY_ROLES, Codebook, Item, Scale
from csi.survey.worded import plain

NAME = re.compile(r"[^\W\d][\w.]*")
"""Names the model language can speak of."""


def read_codebook(path: str | Path, lang: str = "en") -> Codebook:
    r"""A codebook from its YAML file.

    Raises:
        Problems: everything that is wrong with it, each with file and line.

    Example:
        >>> import tempfile
        >>> text = "scales: {five: {min: 1, max: 5}}\nitems: [{name: s1, construct: sat, scale: five, en: Content}]\n"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "codebook.yaml"
        ...     _ = file.write_text(text)
        ...     read_codebook(file).label("s1")
        'Content'
    """
    document = read_document(Path(path))
    codebook, problems = codebook_of(document.data, document, (), KeysForm())
    problems = [*document.problems, *problems]
    if problems or codebook is None:
        raise Problems(problems, lang)
    return codebook


def codebook_of(value: object, document: Document, at: Loc, keys: KeysForm) -> tuple[Codebook | None, list[Problem]]:
    """The codebook found at `at`, with the study's keys before its own, and every problem.

    A codebook with problems is what could be read of it, good for checking the rest of the study and nothing else;
    None when there is not even that.
    """
    held = held_to(CodebookForm, value, document, at, stand_in)
    form = held.form
    if form is None:
        return None, list(held.problems)
    problems = [*held.problems, *_check(form, held, document, at)]
    scales = {name: scale_of(name, scale) for name, scale in form.scales.items()}
    constructs = {name: text_of(label) for name, label in form.constructs.items()}
    constructs |= {i.construct_: Text("", "") for i in form.items if i.construct_ and i.construct_ not in constructs}
    items = tuple(
        Item(
            i.name, i.construct_, scales.get(i.scale, Scale(i.scale, 0, 1)), Text(i.en, i.zh),
            i.attribute, i.form, i.reverse, i.column, i.facet,
        )
        for i in form.items
    )  # fmt: skip
    return Codebook(items, constructs, {**keys_of(form.keys), **keys_of(keys)}), problems


def stand_in(at: Loc) -> object:
    """What a required value of the codebook is taken for while the rest is checked."""
    match at:
        case ("items", int(number), "name"):
            return f"unnamed_{number}"
        case ("items", int(), "scale"):
            return "unnamed"
        case ("scales", str(), "min"):
            return "0"
        case ("scales", str(), "max"):
            return "1"
    return None


def keys_of(form: KeysForm) -> dict[str, str]:
    """The roles that have a column."""
    return {role: column for role in KEY_ROLES if (column := getattr(form, role))}


def text_of(label: Label) -> Text:
    """A label as `Text`."""
    return Text(label.en, label.zh)


def scale_of(name: str, form: ScaleForm) -> Scale:
    """A scale as the codebook's noun."""
    labels = {code: tuple(words) for code, words in form.labels.items()}
    return Scale(name, form.min, form.max, dict(form.missing), labels)


def _check(form: CodebookForm, held: Held[CodebookForm], document: Document, at: Loc) -> Iterator[Problem]:
    """What types alone cannot tell: scales, names, and items that are listed twice."""
    for name, scale in form.scales.items():
        if not held.faulty("scales", name):
            yield from _scale_problems(name, scale, document.place((*at, "scales", name)))
            yield from _label_problems(name, scale, document, (*at, "scales", name, "labels"))
    for number, item in enumerate(form.items):
        if not held.faulty("items", number, "scale"):
            yield from _scale_of_item(item, form, document, (*at, "items", number))
        yield from _item_problems(item, form, document, (*at, "items", number))
    yield from _twice(form, document, at)


def _scale_problems(name: str, scale: ScaleForm, where: str) -> Iterator[Problem]:
    if scale.min >= scale.max:
        yield problem(
            "E-SCALE",
            where,
            f"scale {name} goes from {scale.min:g} to {scale.max:g}.",
            f"量表 {name} 的范围是 {scale.min:g} 到 {scale.max:g}。",
            "`min` must be below `max`; use `reverse: yes` for items that are turned over.",
            "min 必须小于 max；反向题请用 reverse: yes。",
        )
    for code in scale.missing:
        try:
            inside = scale.min <= float(code) <= scale.max
        except ValueError:
            continue
        if inside:
            yield problem(
                "E-SCALE",
                where,
                f"the missing code {code} of scale {name} lies inside its range {scale.min:g}-{scale.max:g}.",
                f"量表 {name} 的缺失代码 {code} 落在量表范围 {scale.min:g}-{scale.max:g} 之内。",
                "Give the scale its true range, or remove the code.",
                "请更正量表范围，或删去该代码。",
            )


def _label_problems(name: str, scale: ScaleForm, document: Document, at: Loc) -> Iterator[Problem]:
    """Codes of words that are no points of the scale, and a word with two codes."""
    codes: dict[str, str] = {}
    for code, words in scale.labels.items():
        try:
            point = scale.min <= float(code) <= scale.max
        except ValueError:
            point = False
        if not point and code not in scale.missing:
            yield problem(
                "E-SCALE",
                document.place((*at, code)),
                f'labels: "{code}" is no point of scale {name} ({scale.min:g}-{scale.max:g}) nor a missing code.',
                f"labels：“{code}”既不是量表 {name}（{scale.min:g}-{scale.max:g}）的取值，也不是其缺失代码。",
                "Write the code first, as in labels: {1: 很不满意, 5: 很满意}.",
                "请把代码写在前面，例如 labels: {1: 很不满意, 5: 很满意}。",
            )
        for word in words:
            other = codes.setdefault(plain(word), code)
            if other != code:
                yield problem(
                    "E-SCALE",
                    document.place((*at, code)),
                    f'labels: "{word}" has two codes on scale {name}, {other} and {code}.',
                    f"labels：“{word}”在量表 {name} 中对应两个代码：{other} 和 {code}。",
                    "Keep one of them.",
                    "请只保留一个。",
                )


def _scale_of_item(item: ItemForm, form: CodebookForm, document: Document, at: Loc) -> Iterator[Problem]:
    if item.scale not in form.scales:
        hint = did_you_mean(item.scale, form.scales)
        yield Problem(
            "E-SCALE",
            document.place((*at, "scale")),
            Text(
                f'item {item.name} names an unknown scale "{item.scale}".',
                f"题项 {item.name} 使用了未定义的量表“{item.scale}”。",
            ),
            hint,
        )


def _item_problems(item: ItemForm, form: CodebookForm, document: Document, at: Loc) -> Iterator[Problem]:
    if item.construct_ and form.constructs and item.construct_ not in form.constructs:
        hint = did_you_mean(item.construct_, form.constructs)
        yield Problem(
            "E-CONSTRUCT",
            document.place((*at, "construct")),
            Text(
                f'item {item.name} names an unknown construct "{item.construct_}".',
                f"题项 {item.name} 使用了未定义的构念“{item.construct_}”。",
            ),
            hint,
        )
    where = document.place((*at, "name"))
    if not NAME.fullmatch(item.name):
        yield problem(
            "E-NAME",
            where,
            f'"{item.name}" cannot be used as a name in a model.',
            f"“{item.name}”不能在模型中用作名称。",
            "Use letters, digits and _ (no blanks; not a digit first), and put the export's header into `column`.",
            "请用文字、数字和下划线（无空格，不以数字开头），并把导出文件的列名写入 column。",
        )
    if item.name in KEY_ROLES:
        yield problem(
            "E-NAME",
            where,
            f'an item cannot be called "{item.name}"; that is the name of a key.',
            f"题项不能命名为“{item.name}”，它是关键列的名称。",
            "Give the item another name and state its `column`.",
            "请给题项改名，并写明 column。",
        )
    if item.name in form.constructs or item.name == item.construct_:
        yield problem(
            "E-NAME",
            where,
            f'"{item.name}" is the name of an item and of a construct.',
            f"“{item.name}”既是题项名又是构念名。",
            "Give the item another name.",
            "请给题项改名。",
        )


def _twice(form: CodebookForm, document: Document, at: Loc) -> Iterator[Problem]:
    """An item in two constructs, an item listed twice, one column behind two items."""
    names: dict[str, int] = {}
    columns: dict[str, int] = {}
    for number, item in enumerate(form.items):
        first = names.setdefault(item.name, number)
        where, before = (document.place((*at, "items", n, "name")) for n in (number, first))
        if first != number and form.items[first].construct_ != item.construct_:
            one, two = form.items[first].construct_, item.construct_
            yield problem(
                "E-ITEM-TWICE",
                where,
                f"item {item.name} is in two constructs: {one} ({before}) and {two}.",
                f"题项 {item.name} 同时属于两个构念：{one}（{before}）和 {two}。",
                "Keep it in one of them.",
                "请只保留在其中一个构念。",
            )
        elif first != number:
            yield problem(
                "E-ITEM-TWICE",
                where,
                f"item {item.name} is listed twice (first at {before}).",
                f"题项 {item.name} 重复出现（首次在 {before}）。",
                "Keep one of them.",
                "请只保留一个。",
            )
        else:
            column = item.column or item.name
            other = columns.setdefault(column, number)
            if other != number:
                yield problem(
                    "E-COLUMN",
                    where,
                    f'items {form.items[other].name} and {item.name} are read from one column "{column}".',
                    f"题项 {form.items[other].name} 和 {item.name} 读取的是同一列“{column}”。",
                    "Correct one `column`.",
                    "请更正其中一个 column。",
                )
