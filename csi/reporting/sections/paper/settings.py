"""How the model was estimated, as a table: algorithm, uncertainty, identification, software."""

from __future__ import annotations

import platform

import polars as pl

from csi.errors import Text
from csi.estimate.engine_words import engine_words, missing_words
from csi.measures.admissible import verify
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.record import versions
from csi.reporting.section import Section
from csi.reporting.sections.drawn import percent
from csi.reporting.sections.method import INTERVALS, RESAMPLING
from csi.reporting.sections.model import cell_of
from csi.reporting.sections.paper.facts import Fact, fitted_of, listing
from csi.reporting.tables import printed


def settings_section(a: Analysis) -> Section:
    """Scheme, stop rule, modes or identification, absent answers, resamples, seed, versions."""
    est = cell_of(a).estimate
    own = _identified(a) if a.study.settings.covariance else _composed(a)
    facts = [
        (Text("Estimator", "估计方法"), engine_words(est.settings.name)),
        *own,
        (Text("Absent answers", "缺失值"), missing_words(a.study.settings.missing)),
        (Text("Standard errors", "标准误"), uncertainty(a)),
        _solution(a),
        (Text("Software", "软件"), software()),
    ]
    rounds = int(est.convergence.iterations[0])
    done = Text(f"the algorithm converged after {rounds} iterations", f"算法经 {rounds} 次迭代收敛")
    name = engine_words(est.settings.name)
    title = words.sentence(Text(f"estimated by {name.en}", f"以{name.zh}估计"), done if rounds else Text("", ""))
    return Section(
        key="settings",
        title=Text(title.en, words.set_in_chinese(title.zh)),
        subtitle=Text("Everything set or left at its default", "全部设定，含默认值"),
        tables=(listing("settings", Text("Settings", "设定"), facts),),
        data={
            "settings": pl.DataFrame([(k.en, v.en, v.zh) for k, v in facts], schema=["what", "en", "zh"], orient="row")
        },
    )


def software() -> Text:
    """The package and what its numbers rest on, with versions."""
    said = ", ".join(
        f"{name} {version}" for name, version in {**versions(), "Python": platform.python_version()}.items()
    )
    return Text(said, said.replace(", ", "，"))


def uncertainty(a: Analysis) -> Text:
    """Where the standard errors and intervals of the model come from."""
    est, s = cell_of(a).estimate, a.study.settings
    level = percent(est.level)
    if s.replicate_weights is not None:
        return Text(
            f"replicate weights ({s.replicate_weights.kind}), {level} intervals",
            f"重复权重（{s.replicate_weights.kind}），{level} 区间",
        )
    if est.replicates is None:
        return Text(
            f"the estimator's own, {level} intervals by the normal distribution",
            f"估计方法自身的标准误，{level} 正态区间",
        )
    drawn, kind, many = RESAMPLING[s.resampling], INTERVALS[s.interval], printed(est.replicates.n, "count")
    tail = ("; standardised parameters by the delta method", "；标准化参数用 Delta 法") if s.covariance else ("", "")
    return Text(
        f"{many} bootstrap resamples, {drawn.en}, {kind.en} {level} intervals, two-sided, seed {s.seed}{tail[0]}",
        f"自助法 {many} 次，{drawn.zh}，{kind.zh} {level} 区间，双侧，随机种子 {s.seed}{tail[1]}",
    )


def _composed(a: Analysis) -> list[Fact]:
    """What a composite estimator was told."""
    s, est = a.study.settings, cell_of(a).estimate
    modes = dict(zip(est.solution.constructs, est.solution.modes, strict=True))
    facts: list[Fact] = []
    for mode, name in (
        ("A", Text("Mode A (correlation weights)", "模式 A（相关权重）")),
        ("B", Text("Mode B (regression weights)", "模式 B（回归权重）")),
    ):
        some = [a.label(c) for c, m in modes.items() if m == mode]
        if some:
            facts.append((name, words.listed(some)))
    if s.estimator in {"pls", "plsc", "gsca"}:
        small, most = f"{s.tolerance:.0e}".replace("e-0", "e-"), int(est.convergence.iterations[0])
        facts.append(
            (
                Text("Stop rule", "收敛标准"),
                Text(
                    f"largest change of a weight below {small}; {most} iterations used",
                    f"权重最大变化小于 {small}；实际迭代 {most} 次",
                ),
            )
        )
    products = [c for c in a.model.constructs if c.product_of]
    if products:
        how = s.interaction or "two-stage"
        facts.append((Text("Products", "交互项"), Text(how, how)))
    return facts


def _identified(a: Analysis) -> list[Fact]:
    """Scaling, parameters, moments and degrees of freedom of a covariance model."""
    est = cell_of(a).estimate
    fit, names = fitted_of(est), est.moments.names
    if fit is None:
        return []
    free, df, p = int(fit.theta.shape[1]), int(fit.df), len(names)
    scale = Text("the first loading of each factor is 1", "各因子第一个载荷固定为 1")
    if getattr(est.settings, "std_lv", False):
        scale = Text("factor variances are 1", "因子方差固定为 1")
    given = sum(bool(t.modifiers) for c in a.model.constructs for t in c.indicators)
    own = (
        Text(f"{given} indicators with a modifier of the study's", f"{given} 个题项带有研究自设的约束")
        if given
        else Text("none besides", "无其他约束")
    )
    return [
        (Text("Scaling", "尺度设定"), scale),
        (Text("Constraints", "约束"), own),
        *_counted(free, df, p),
        (Text("Degrees of freedom", "自由度"), Text(f"{df}", f"{df}")),
    ]


def _counted(free: int, df: int, p: int) -> list[Fact]:
    """Moments and free parameters, so that a reader can count the degrees of freedom."""
    told = Text(str(free), str(free))
    moments = {
        p * (p + 1) // 2: Text("variances and covariances", "方差与协方差"),
        p * (p + 3) // 2: Text("means, variances and covariances", "均值、方差与协方差"),
    }
    kind = moments.get(free + df)
    if kind is None:
        return [(Text("Free parameters", "自由参数"), told)]
    many = Text(f"{free + df}: {kind.en} of {p} items", f"{free + df} 个：{p} 个题项的{kind.zh}")
    return [(Text("Moments", "矩"), many), (Text("Free parameters", "自由参数"), told)]


def _solution(a: Analysis) -> Fact:
    """Whether the solution is proper."""
    wrong = len(verify(cell_of(a).estimate).errors)
    what = Text("Solution", "解")
    if not wrong:
        return what, Text("proper: no negative variance, no correlation beyond 1", "正常：无负方差，无超过 1 的相关")
    return what, Text(f"{wrong} faults found, told under fit", f"发现 {wrong} 处问题，见拟合一节")
