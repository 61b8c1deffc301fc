"""Constraints of a Wald test as they are written: `a == b`, `a + b == 1`."""

from __future__ import annotations

from csi.errors import Problem, Problems, problem
from csi.models.syntax.evaluate import compile_expression


def formula_of(text: str, known: set[str]) -> str | Problem:
    """The difference of both sides, or what is wrong with it.

    Parameters:
        text: as in `a == b`. known: labels and definitions of the model.

    Example:
        >>> formula_of("x == 2*y", {"x", "y"}), formula_of("x ==", {"x"}).code
        ('(x ) - ( 2*y)', 'E-WALD')
    """
    lhs, equal, rhs = text.partition("==")
    if not equal or "=" in rhs:
        return unreadable(text, "it is not of the form `a == b`.", "不是 `a == b` 的形式。")
    if not (lhs.strip() and rhs.strip()):
        return unreadable(text, "nothing stands on one side of `==`.", "`==` 的一侧没有内容。")
    for side in (lhs, rhs):
        try:
            compile_expression(side)
        except Problems as stumbled:
            what = stumbled.problems[0].what
            return unreadable(
                text, f'"{side.strip()}" cannot be read: {what.en}', f"无法读取“{side.strip()}”：{what.zh}"
            )
    formula = f"({lhs}) - ({rhs})"
    unknown = [n for n in compile_expression(formula).labels if n not in known]
    if unknown:
        listed = ", ".join(unknown)
        return unreadable(text, f"no parameter has the label {listed}.", f"没有参数的标签为 {listed}。")
    return formula


def unreadable(text: str, en: str, zh: str) -> Problem:
    """A constraint that cannot be read, with an example of one that can."""
    do = "Label the parameters in the model, as in `f =~ a*y1 + b*y2`, and write `a == b` or `a == 1`."
    do_zh = "请在模型中为参数加标签，如 `f =~ a*y1 + b*y2`，约束写成 `a == b` 或 `a == 1`。"
    return problem("E-WALD", f'constraint "{text}"', en, zh, do, do_zh)
