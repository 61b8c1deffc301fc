"""What models ask of a study's questionnaire, keys and files."""

from __future__ import annotations

from collections.abc import Sequence

from csi.errors import Text
from csi.expectation.forms import FORMS
from csi.reporting.methods.method import Need
from csi.study.options import Options
from csi.study.study import Study
from csi.survey.codebook import Form
from csi.survey.event_kinds import KINDS


def forms(*wanted: Form, option: Sequence[str] = ()) -> Need:
    """An attribute that is asked in every one of these forms.

    Parameters:
        wanted: the forms. option: which option of `Options` may name another form, in the order of `wanted`.
    """

    def asked_by(options: Options) -> tuple[Form, ...]:
        given = [getattr(options, name) or form for name, form in zip(option, wanted, strict=False)]
        return (*given, *wanted[len(given) :])

    def met(study: Study, options: Options) -> bool:
        asked = asked_by(options)
        found: dict[str, set[str]] = {}
        for item in study.codebook.items:
            found.setdefault(item.attribute or item.name, set()).add(item.form)
        return any(set(asked) <= have for have in found.values())

    def named_by(options: Options) -> Need:
        return forms(*asked_by(options))

    named, named_zh = " + ".join(wanted), "、".join(FORMS[f].zh for f in wanted)
    return Need(
        Text(f"an attribute asked as {named}", f"同一属性以 {named} 提问（{named_zh}）"),
        met,
        Text(
            f"give the items of one attribute the same attribute: and the forms {named}",
            f"为同一属性的题项写同一 attribute:，并分别写 form: {'、'.join(wanted)}",
        ),
        named_by if option else None,
    )


def construct(name: str, *, least: int = 1, label: Text | None = None) -> Need:
    """A construct of the codebook with items; `constructs:` may map its name."""

    def met(study: Study, options: Options) -> bool:
        return len(study.codebook.items_of(options.constructs.get(name, name))) >= least

    said = label or Text(name, name)
    return Need(
        Text(f"construct {name} ({said.en})", f"构念 {name}（{said.zh}）"),
        met,
        Text(
            f"add items with construct: {name}, or map it: constructs: {{{name}: yours}}",
            f"补充 construct: {name} 的题项，或写 constructs: {{{name}: 您的构念}}",
        ),
    )


def key(role: str, label: Text) -> Need:
    """A key column."""

    def met(study: Study, options: Options) -> bool:
        del options
        return role in study.codebook.keys or any(role in f.rename for f in study.data)

    return Need(
        Text(f"a column for {label.en}", f"{label.zh}所在的列"),
        met,
        Text(f"name it under keys: {{{role}: column}}", f"在 keys 中写明：{{{role}: 列名}}"),
    )


def again() -> Need:
    """The same customers in two waves or more."""

    def met(study: Study, options: Options) -> bool:
        del options
        return len(study.waves) != 1 and study.respondents != "new"

    return Need(
        Text("the same customers in two waves or more", "同一批顾客的两期或以上数据"),
        met,
        Text(
            "ask them again and list both waves: waves: {order: [...]}", "再次询问，并在 waves: {order: […]} 中列出各期"
        ),
    )


def table(kind: str, *columns: str) -> Need:
    """A table of events (`csi.survey.event_kinds`) that the study names under `tables`, with these columns.

    Whether the columns are there is seen when the table is read: a need that looked would read it for every model.
    """

    def met(study: Study, options: Options) -> bool:
        del options
        return kind in study.tables

    known = KINDS[kind]
    named = ", ".join(dict.fromkeys((*known.needed, *columns)))
    return Need(
        Text(f"a table of {kind} ({known.label.en.lower()}: {named})", f"{known.label.zh}（{named}）"),
        met,
        Text(f"name its file under tables: {{{kind}: {kind}.csv}}", f"在 tables 中写明文件：{{{kind}: {kind}.csv}}"),
    )


def range_of(low: float, high: float) -> Need:
    """An item asked on a scale with these bounds."""

    def met(study: Study, options: Options) -> bool:
        del options
        return any((i.scale.minimum, i.scale.maximum) == (low, high) for i in study.codebook.items)

    return Need(
        Text(f"a question answered from {low:g} to {high:g}", f"以 {low:g} 至 {high:g} 作答的题项"),
        met,
        Text(
            f"declare a scale {{min: {low:g}, max: {high:g}}} and give it to the item",
            f"声明量表 {{min: {low:g}, max: {high:g}}} 并用于该题项",
        ),
    )


def option(name: str, what: Text) -> Need:
    """Something that only the study's `models:` (or the command line) can say, such as a file."""

    def met(study: Study, options: Options) -> bool:
        del study
        return bool(getattr(options, name))

    return Need(
        what, met, Text(f"write models: {{NAME: {{{name}: ...}}}}", f"在 models: {{模型名: {{{name}: …}}}} 中写明")
    )
