"""What a call was given as its model and estimator: text is read, everything else that cannot serve is told."""

from __future__ import annotations

from csi.errors import Problem, Problems, Text, problem
from csi.estimate.estimate import Estimate
from csi.models.model import Model
from csi.models.nouns import Claim
from csi.survey.panel import Panel


def model_of(model: Model | str, *, also: list[Problem] | None = None) -> Model:
    """The model; text in lavaan's language is read.

    Parameters:
        also: problems of other arguments, raised together with those of the model.

    Raises:
        Problems: E-SETTING where it is neither, what is wrong with the text, and `also`.

    Example:
        >>> model_of("f =~ x1 + x2 + x3").items
        ('x1', 'x2', 'x3')
    """
    found = list(also or ())
    if isinstance(model, str):
        try:
            model = Model.parse(model)
        except Problems as error:
            found = [*error.problems, *found]
    elif not isinstance(model, Claim):
        en, zh = f"a model was expected, not {_kind(model)}.", f"应为模型，而不是 {_kind(model)}。"
        do = 'Write csi.Model.parse("f =~ x1 + x2 + x3") or the text itself; the model comes first, then the data.'
        do_zh = '请写 csi.Model.parse("f =~ x1 + x2 + x3") 或直接给出文本；模型在前，数据在后。'
        found.insert(0, problem("E-SETTING", "model", en, zh, do, do_zh))
    if found or isinstance(model, str):
        raise Problems(found)
    return model


CALLS = {
    "pls": "csi.PLS()",
    "plsc": "csi.PLS(consistent=True)",
    "sum": "csi.SumScores()",
    "gsca": "csi.GSCA()",
    "semopy": "csi.Semopy()",
    "sem": "csi.SEM()",
}
"""What to write for an estimator's name; any other is one of `csi.SEM`."""


def estimator_problems(estimator: object) -> list[Problem]:
    """A problem where the estimator is no settings value: its name, or its class without brackets.

    Example:
        >>> print(estimator_problems("ML")[0].say())
        estimator: "ML" is text; settings such as csi.SEM() or csi.PLS() were expected. Write csi.SEM(estimator="ML").
    """
    if not isinstance(estimator, type) and hasattr(estimator, "solve"):
        return []
    wanted, wanted_zh = (
        "settings such as csi.SEM() or csi.PLS() were expected",
        "应为 csi.SEM() 或 csi.PLS() 这样的设定",
    )
    if isinstance(estimator, str):
        en, zh = f'"{estimator}" is text; {wanted}.', f"“{estimator}”是文本；{wanted_zh}。"
        do = CALLS.get(estimator.lower(), f'csi.SEM(estimator="{estimator}")')
    elif isinstance(estimator, type):
        en, zh = f"{estimator.__name__} is a class; {wanted}.", f"{estimator.__name__} 是类；{wanted_zh}。"
        do = f"csi.{estimator.__name__}()" if hasattr(estimator, "solve") else "csi.SEM()"
    else:
        en, zh = f"it is {_kind(estimator)}; {wanted}.", f"给出的是 {_kind(estimator)}；{wanted_zh}。"
        do = "csi.SEM()"
    return [problem("E-SETTING", "estimator", en, zh, f"Write {do}.", f"请写 {do}。")]


def check_estimate(value: object) -> None:
    """What was given as an estimate is one.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> check_estimate("a")
        Traceback (most recent call last):
        csi.errors.Problems: estimate: an estimate was expected, not str. Give what csi.fit returns.
    """
    if not isinstance(value, Estimate):
        en, zh = f"an estimate was expected, not {_kind(value)}.", f"应为估计结果，而不是 {_kind(value)}。"
        do, do_zh = "Give what csi.fit returns.", "请给出 csi.fit 的结果。"
        raise Problems([problem("E-SETTING", "estimate", en, zh, do, do_zh)])


def check_kind(place: str, value: object, kinds: type | tuple[type, ...], wanted: Text, do: Text) -> None:
    """What was given is of the kind that a call works on.

    Parameters:
        place: the argument. wanted: what was expected, in words. do: what to give.

    Raises:
        Problems: E-SETTING, or what a result that must not be used so says of itself (its `refusal`).

    Example:
        >>> check_kind("name", 3, str, Text("a name", "名称"), Text("Write it.", "请写明。"))
        Traceback (most recent call last):
        csi.errors.Problems: name: a name was expected, not int. Write it.
    """
    if not isinstance(value, kinds):
        refusal = getattr(value, "refusal", None)
        if isinstance(refusal, Problem):
            raise Problems([refusal])
        en, zh = f"{wanted.en} was expected, not {_kind(value)}.", f"应为{wanted.zh}，而不是 {_kind(value)}。"
        raise Problems([problem("E-SETTING", place, en, zh, do.en, do.zh)])


def check_panel(value: object) -> None:
    """What was given as answers with their codebook is a panel.

    Raises:
        Problems: E-SETTING.

    Example:
        >>> check_panel("a")
        Traceback (most recent call last):
        csi.errors.Problems: panel: a panel was expected, not str. Give what csi.read_panel(study) returns.
    """
    do = Text("Give what csi.read_panel(study) returns.", "请给出 csi.read_panel(研究文件) 的结果。")
    check_kind("panel", value, Panel, Text("a panel", "面板"), do)


def _kind(value: object) -> str:
    """The kind of a value, for a message."""
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}".removeprefix("builtins.")
