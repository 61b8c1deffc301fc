"""What crosses the parts of a study file: waves, brands, files and the index held against one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from csi.catalogue import guides
from csi.errors import Problem, Problems, Text, did_you_mean, problem
from csi.models.cards import read_card, shipped
from csi.models.model import Model
from csi.study.aims import aim_problems
from csi.study.asked import query_problems
from csi.study.beside import beside_problems
from csi.study.brands import renamed_problems
from csi.study.breaks import break_problems
from csi.study.explain import Held
from csi.study.fields import rules_of
from csi.study.former import former_problems
from csi.study.model import card_place
from csi.study.positions import Document, Loc
from csi.study.schema import StudyForm
from csi.study.settings import TARGET
from csi.study.streams import stream_problems
from csi.study.tables import table_problems
from csi.study.validating import validating_problems
from csi.study.waves import contradicts, per_year
from csi.study.weights import weight_problems
from csi.survey.codebook import Codebook
from csi.survey.ruled_columns import rule_problems


def crossed_problems(
    held: Held[StudyForm],
    form: StudyForm,
    codebook: Codebook | None,
    model: Model | None,
    document: Document,
    folder: Path,
) -> Iterator[Problem]:
    """What crosses parts: waves, brands, files, renames and the index."""
    yield from _waves(form, document)
    yield from _lists(form, document)
    yield from stream_problems(form, document)
    for number, file in enumerate(form.data):
        if file.spark:
            continue
        if file.sql or file.database:
            yield from query_problems(file, number, document)
        else:
            yield from _file(folder / file.file, document.place(("data", number, "file")))
    for rule in ("speeders", "speeders_relative"):
        on = getattr(form.rules, rule) != "off"
        if on and not held.faulty("keys") and codebook and not _has_duration(form, codebook):
            yield problem(
                "E-KEY",
                document.place(("rules", rule)),
                "the rule needs the key `duration`.",
                "该规则需要关键列 duration。",
                f"Name its column under `keys`, or set {rule}: off.",
                f"请在 keys 中写出该列，或设置 {rule}: off。",
            )
    if codebook and not held.faulty("rules"):
        yield from rule_problems(rules_of(form.rules), codebook, lambda key: document.place(("rules", key)))
    yield from _methods(document)
    yield from weight_problems(form, codebook, document, folder)
    yield from beside_problems(held, form, codebook, document, folder)
    yield from table_problems(form, document, folder)
    names = model.names if model is not None else _names_of_card(form, folder)
    yield from aim_problems(form, names, document)
    if names and not held.faulty("index"):
        yield from _target(form, names, document)
    unsure = [i for i in range(len(form.waves.breaks)) if held.faulty("waves", "breaks", i, "link", "method")]
    yield from break_problems(form, model, form.index.target or TARGET, document, folder, unsure)
    yield from former_problems(form, codebook, document)
    if codebook and not held.faulty("validation"):
        yield from validating_problems(form, codebook, document, folder)


def _has_duration(form: StudyForm, codebook: Codebook) -> bool:
    return "duration" in codebook.keys or any("duration" in file.rename for file in form.data)


def _waves(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Names of waves that the order does not know."""
    order = form.waves.order
    named: list[tuple[Loc, str]] = [(("waves", "base"), form.waves.base), (("index", "base"), form.index.base)]
    named += [(("report", "events", i, "wave"), event.wave) for i, event in enumerate(form.report.events)]
    named += [(("data", i, "wave"), file.wave) for i, file in enumerate(form.data)]
    named += [(("waves", "breaks", i, "wave"), one.wave) for i, one in enumerate(form.waves.breaks)]
    for loc, wave in named:
        if wave and order and wave not in order:
            hint = did_you_mean(wave, order, every=True)
            yield Problem("E-WAVE", document.place(loc), Text(f'unknown wave "{wave}".', f"未知的期“{wave}”。"), hint)
    many, told = form.waves.per_year, per_year(order)
    if many is not None and contradicts(order, many):
        few = ", ".join(order[:3]) + (", ..." if len(order) > 3 else "")
        yield problem(
            "E-WAVE",
            document.place(("waves", "per_year")),
            f"per_year is {many}, but the names of the waves ({few}) say {told} a year.",
            f"per_year 的值是 {many}，但各期名称（{few}）表明一年有 {told} 期。",
            f"Write `per_year: {told}` or leave it out; the comparison with a year ago goes back so many waves.",
            f"请写 per_year: {told}，或删去该键；同比按该期数往前追溯。",
        )


def _lists(form: StudyForm, document: Document) -> Iterator[Problem]:
    """Names listed twice, more than one focal brand, constant brands that are not listed."""
    lists: tuple[tuple[str, Loc, list[str]], ...] = (
        ("wave", ("waves", "order"), form.waves.order),
        ("brand", ("brands",), [brand.name for brand in form.brands]),
        ("stage", ("stages",), [stage.name for stage in form.stages]),
        ("segment", ("segments",), [segment.name for segment in form.segments]),
    )
    for what, loc, names in lists:
        for number, name in enumerate(names):
            if "，" in name and what == "wave":
                split = name.replace("，", ", ")
                yield problem(
                    "E-FULLWIDTH",
                    document.place((*loc, number)),
                    f'a full-width comma stands in "{name}", so that it is one wave.',
                    f"“{name}”中使用了全角逗号，被当作一期。",
                    f"Write `{split}`.",
                    f"请写成 {split}。",
                )
            if name in names[:number]:
                yield problem(
                    "E-TWICE",
                    document.place((*loc, number)),
                    f'{what} "{name}" is listed twice.',
                    f"“{name}”重复列出。",
                    "Keep one of them.",
                    "请只保留一个。",
                )
    yield from renamed_problems(form, document)
    focal = [number for number, brand in enumerate(form.brands) if brand.focal]
    if len(focal) > 1:
        yield problem(
            "E-FOCAL",
            document.place(("brands", focal[1])),
            "more than one brand is focal.",
            "不止一个品牌标为 focal。",
            "Mark one.",
            "请只标一个。",
        )
    known = [name for brand in form.brands for name in (brand.name, *brand.was)]
    for number, file in enumerate(form.data):
        if file.brand and known and file.brand not in known:
            hint = did_you_mean(file.brand, known)
            yield Problem(
                "E-BRAND",
                document.place(("data", number, "brand")),
                Text(f'unknown brand "{file.brand}".', f"未知的品牌“{file.brand}”。"),
                hint,
            )


def _file(path: Path, where: str) -> Iterator[Problem]:
    if not path.exists():
        near = (
            did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else Text("", "")
        )
        hint = (
            near
            if "?" in near.en
            else Text("It is looked up beside the study file.", "文件应放在研究文件所在的文件夹。")
        )
        yield Problem("E-FILE", where, Text(f'data file "{path}" does not exist.', f"数据文件“{path}”不存在。"), hint)


def _methods(document: Document) -> Iterator[Problem]:
    """Names under `models` that are neither models nor cards of the library, nor files of cards."""
    given = document.data.get("models")
    known = (*guides(), *shipped(), *(f"{name}_card" for name in shipped()))
    for name in given if isinstance(given, dict) else ():
        if str(name) not in known and not str(name).endswith((".yaml", ".yml")):
            what = Text(f'there is no model "{name}" in the library.', f"模型库中没有“{name}”。")
            yield Problem("E-METHOD", document.place(("models", name)), what, did_you_mean(str(name), known))


def _names_of_card(form: StudyForm, folder: Path) -> tuple[str, ...]:
    """The constructs of the study's card, where it has one that exists."""
    place = card_place(form.model.card, folder)
    if form.model.card not in shipped() and not Path(place).is_file():
        return ()
    try:
        card = read_card(place)
    except Problems:  # told where the model is read
        return ()
    return tuple(name for name in card.constructs if name not in form.model.without)


def _target(form: StudyForm, names: Sequence[str], document: Document) -> Iterator[Problem]:
    """The index construct, when the model does not have it."""
    target = form.index.target or TARGET
    if target not in names:
        hint = did_you_mean(target, names)
        place = document.place(("index", "target") if form.index.target else ("index",))
        yield problem(
            "E-TARGET",
            place,
            f'the index target "{target}" is not a construct of the model.',
            f"指数目标“{target}”不是模型中的构念。",
            f"{hint.en} Set `index: {{target: ...}}`.",
            f"{hint.zh} 请设置 index: {{target: ……}}。",
        )
