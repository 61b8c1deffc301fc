"""The method box: what a reader needs to judge the numbers or to make them again."""

from __future__ import annotations

import polars as pl

from csi.errors import Text
from csi.estimate.engine_words import engine_words, missing_words
from csi.reporting import words
from csi.reporting.analysis import Analysis
from csi.reporting.record import data_hash, versions
from csi.reporting.section import Column, Section, Table
from csi.reporting.sections.drawn import here, percent
from csi.reporting.sections.waves import wave_rows
from csi.reporting.tables import printed
from csi.reporting.weighed import method_rows
from csi.tracking.index_deff import NAMES

RESAMPLING = {
    "multinomial": Text("respondents drawn with replacement", "受访者有放回抽样"),
    "bayesian": Text("Bayesian bootstrap", "贝叶斯自助法"),
}
INTERVALS = {
    "percentile": Text("percentile", "百分位"),
    "basic": Text("basic bootstrap", "基本自助"),
    "normal": Text("normal", "正态"),
    "t": Text("t", "t"),
    "bc": Text("bias-corrected", "偏差校正"),
    "bca": Text("BCa", "BCa"),
    "studentised": Text("studentised", "学生化"),
    "double": Text("double bootstrap", "双重自助"),
}
RULES = {
    "own": Text("each cell's own weights", "各单元自身的权重"),
    "entity": Text("each brand's weights over its waves", "各品牌合并全部期次的权重"),
    "wave": Text("each wave's weights over its brands", "各期合并全部品牌的权重"),
    "rolling": Text("weights of a rolling window of waves", "滚动窗口内各期合并的权重"),
    "base": Text("weights of wave {base}, held for all waves", "基期 {base}的权重，各期沿用"),
    "pooled": Text("weights of all cells together", "全部单元合并的权重"),
    "given": Text("given weights", "外部给定的权重"),
}
BASES = {
    "replicates": Text("from replicates", "由重抽样得到标准误"),
    "linearised": Text(
        "linearised (Taylor), the uncertainty of the weights included", "由线性化（Taylor）得到标准误，含权重的不确定性"
    ),
    "fixed": Text("linearised with the weights held fixed", "由线性化得到标准误，权重视为固定"),
}
"""Where the errors of an index come from."""

TESTS = {
    "replicates": Text("t tests from joint replicates", "联合重抽样标准误的 t 检验"),
    "linearised": Text(
        "t tests from linearised errors (weights' uncertainty included)", "线性化标准误（含权重的不确定性）的 t 检验"
    ),
    "fixed": Text("t tests from linearised errors (weights held fixed)", "线性化标准误（权重视为固定）的 t 检验"),
}


OUTER = Text("unstandardised outer weights (ACSI)", "非标准化外部权重（ACSI 公式）")
WEIGHED = {
    "F3": Text("outer weights of the rescaled items (importance-performance map)", "按 0–100 换算后题项的外部权重"),
    "F5": Text("equal weights", "等权"),
    "F6": Text(
        "factor-score weights of the covariance model (loading / error variance)",
        "协方差模型的因子得分权重（载荷 / 误差方差）",
    ),
}
"""What the items of an index are weighed by, by the formula; others by their outer weights."""


def formula_of(a: Analysis) -> str:
    """The id of the formula of the target's index."""
    return str(here(a, a.target)["formula"][0])


def method(a: Analysis) -> Section:
    """Answers, weights, cleaning, model, absent answers, bootstrap, index rule, what intervals cover, versions."""
    rows = [*_sample(a), *method_rows(a.panel.weighing), *_estimation(a), *_index(a), *_provenance(a)]
    table = _table(rows)
    return Section(
        key="method",
        title=Text("How these numbers were made", "数据与方法"),
        subtitle=Text("Everything needed to judge or repeat them", "判断与复现所需的全部信息"),
        tables=(table,),
        notes=a.notes,
        data={"method": pl.DataFrame([(k.en, v.en, v.zh) for k, v in rows], schema=["what", "en", "zh"], orient="row")},
    )


Pair = tuple[Text, Text]


def _table(rows: list[Pair]) -> Table:
    """Two columns: what, and how it was."""
    keys = [f"{i:02d}" for i in range(len(rows))]
    frame = pl.DataFrame({"what": [f"what {k}" for k in keys], "how": [f"how {k}" for k in keys]})
    texts = {f"what {k}": what for k, (what, _) in zip(keys, rows, strict=True)}
    texts |= {f"how {k}": how for k, (_, how) in zip(keys, rows, strict=True)}
    columns = (Column("what", Text("What", "项目")), Column("how", Text("How", "说明")))
    return Table("method", Text("Method", "方法"), frame, columns, texts=texts)


def _sample(a: Analysis) -> list[Pair]:
    labels = a.brand_labels
    each = [(labels[b], printed(n, "count")) for b, n in a.n.items()]
    effect, of = here(a, a.target)["design_effect"].max(), NAMES[a.index.effective]
    dropped = 0 if a.panel.excluded is None else a.panel.excluded.height
    weighted = "weight" in a.panel.frame.columns
    deff = printed(effect, "number")
    return [
        (
            Text("Usable answers", "有效答卷"),
            Text(", ".join(f"{b.en} {n}" for b, n in each), "，".join(f"{b.zh} {n}" for b, n in each)),
        ),
        *wave_rows(a),
        (
            Text("Weights", "加权"),
            Text("design weights", "使用设计权重") if weighted else Text("none", "未加权"),
        ),
        (
            Text("Design effect", "设计效应"),
            Text(
                f"at most {deff}, {of.en}; effective n = n / design effect",
                f"最大 {deff}，{of.zh}；有效样本量 = 样本量 / 设计效应",
            )
            if weighted or a.index.effective != "kish"
            else Text("1: every answer counts alike", "1：每份答卷等权"),
        ),
        (
            Text("Cleaning", "清理"),
            Text(
                f"{printed(dropped, 'count')} answers dropped; see fieldwork",
                f"剔除 {printed(dropped, 'count')} 份，详见“收回与清理”",
            ),
        ),
    ]


def _estimation(a: Analysis) -> list[Pair]:
    settings = a.study.settings
    scheme, how = engine_words(a.stack.settings.name), _options(a)
    card = Text(a.model.card or "lavaan text", a.model.card or "lavaan 语法")
    return [
        (
            Text("Model", "模型"),
            Text(
                f"{card.en}: {len(a.model.names)} constructs, {len(a.model.items)} items, {len(a.model.paths)} paths",
                f"{card.zh}：{len(a.model.names)} 个构念、{len(a.model.items)} 个题项、{len(a.model.paths)} 条路径",
            ),
        ),
        (
            Text("Estimation", "估计"),
            Text(
                ", ".join([scheme.en, *(t.en for t in how)]),
                "，".join([scheme.zh, *(t.zh for t in how)]),
            ),
        ),
        (Text("Missing answers", "缺失值"), missing_words(settings.missing)),
        _errors(a),
    ]


def _options(a: Analysis) -> list[Text]:
    """Modes, higher-order constructs, products, tolerance: what the estimator was told."""
    settings, told = a.study.settings, []
    if not settings.covariance:
        modes = " + ".join(sorted({settings.modes.get(c.name, c.mode) for c in a.model.constructs}))
        told.append(Text(f"mode {modes}", f"模式 {modes}"))
    if any(set(c.items) & set(a.model.names) for c in a.model.constructs):
        made = settings.higher_order
        told.append(Text(f"higher-order constructs: {made}", f"高阶构念：{made}"))
    if any(c.product_of for c in a.model.constructs):
        usual = "double-mean-centred" if settings.covariance else "two-stage"
        way = settings.interaction or usual
        told.append(Text(f"products: {way}", f"交互项：{way}"))
    if settings.estimator in {"pls", "plsc", "gsca"}:
        small = f"{settings.tolerance:.0e}"
        told.append(Text(f"tolerance {small}", f"收敛标准 {small}"))
    return told


def _errors(a: Analysis) -> Pair:
    """Where standard errors and intervals come from."""
    settings, given = a.study.settings, a.study.settings.replicate_weights
    level, basis = percent(settings.level), BASES[a.index.basis]
    drawn, kind = RESAMPLING[settings.resampling], INTERVALS[settings.interval]
    many = printed(settings.replicates, "count")
    if a.index.replicates is None and given is None:
        en = f"index {basis.en}, not resampled; t intervals, level {level}"
        zh = f"指数{basis.zh}，未重抽样；t 区间，水平 {level}"
        if settings.replicates and not settings.covariance:
            seed = settings.seed
            en += f"; paths and loadings, where their intervals are told: {many} replicates, {drawn.en}, {kind.en}"
            en += f" intervals, seed {seed}"
            zh += f"；给出路径与载荷区间之处：{many} 次自助，{drawn.zh}，{kind.zh}区间，随机种子 {seed}"
        return Text("Standard errors", "标准误"), Text(en, zh)
    if given is not None:
        count = 0 if a.stack.replicates is None else a.stack.replicates.n
        own, own_zh = (", made of the design", "，由抽样设计生成") if given.make else ("", "")
        own, own_zh = (
            (f"{own}, seed {given.seed}", f"{own_zh}，随机种子 {given.seed}")
            if given.make == "bootstrap"
            else (own, own_zh)
        )
        en = f"{count} replicate weights ({given.kind}{own}), t intervals, level {level}"
        zh = f"{count} 个重复权重（{given.kind}{own_zh}），t 区间，水平 {level}"
        return Text("Standard errors", "标准误"), Text(en, zh)
    en = f"{many} replicates, {drawn.en}, {kind.en} {level} intervals for paths and loadings, t for the index; "
    zh = f"{many} 次，{drawn.zh}；路径与载荷用{kind.zh} {level} 区间，指数用 t 区间；"
    if settings.covariance:
        en = f"{many} replicates, {drawn.en}, {kind.en} {level} intervals for unstandardised parameters, "
        en += "delta method for standardised paths and loadings, t for the index; "
        zh = (
            f"{many} 次，{drawn.zh}；非标准化参数用{kind.zh} {level} 区间，标准化路径与载荷用 Delta 法，指数用 t 区间；"
        )
    said = Text(f"{en}seed {settings.seed}", f"{zh}随机种子 {settings.seed}")
    return Text("Bootstrap", "自助法"), said


def _index(a: Analysis) -> list[Pair]:
    rule = RULES[a.index.rule]
    base, tests = words.wave_name(a.index.base or ""), TESTS[a.index.basis]
    base = Text(base.en, f"{base.zh} " if base.zh[-1:].isascii() else base.zh)
    small, flagged = a.study.settings.small, a.study.settings.flagged
    by = WEIGHED.get(formula_of(a), OUTER)
    if a.index.rule == "given" and a.study.settings.covariance:
        rule = Text("estimated by the model and held fixed", "由模型估计，视为固定")
    return [
        (
            Text("Index", "指数"),
            Text(
                f"0–100, {by.en}; {rule.en.format(base=base.en)}",
                f"0–100 分，{by.zh}；{rule.zh.format(base=base.zh)}",
            ),
        ),
        (
            Text("Tests", "检验"),
            Text(
                f"{tests.en} with design degrees of freedom; Holm over the changes printed for one "
                "wave, over the pairs of brands, over one brand's constructs against the sector mean, over the rivals "
                "whose gap changed in a year, over the pairs of groups; ± is half the interval at the level of that "
                "correction",
                f"{tests.zh}，自由度按抽样设计；Holm 校正分别以同一期公布的全部变化、各品牌两两比较、"
                "焦点品牌各构念与行业均值之差、与各对手差距的年度变化、各分组两两比较为一族；± 为校正水平下区间的半宽",
            ),
        ),
        (
            Text("Small bases", "小样本"),
            Text(f"n < {small} suppressed, n < {flagged} flagged", f"n < {small} 不公布，n < {flagged} 加注"),
        ),
    ]


def _provenance(a: Analysis) -> list[Pair]:
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    digest = data_hash(a.panel)[:16]
    return [
        (Text("Software", "软件"), Text(packages, packages.replace(", ", "，"))),
        (
            Text("Data", "数据"),
            Text(
                f"SHA-256 {digest}…, study file {a.study.sha256[:16]}…",
                f"SHA-256 {digest}…，研究文件 {a.study.sha256[:16]}…",
            ),
        ),
    ]
