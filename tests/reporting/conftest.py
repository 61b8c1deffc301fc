"""A report with plausible numbers, all invented, for what draws and renders."""

from __future__ import annotations

import random
from functools import partial

import polars as pl
import pytest

from csi.errors import Text, note
from csi.models.cards import read_card
from csi.reporting import figures
from csi.reporting.section import Column, Figure, Headline, Report, Section, Table

BRANDS = {
    "zx": Text("Zhongxun", "中讯"),
    "ya": Text("Yun'an", "云安"),
    "hl": Text("Hailian", "海联"),
    "bd": Text("Beidoutong", "北斗通"),
}
CONSTRUCTS = {
    "image": Text("Brand image", "品牌形象"),
    "expectation": Text("Customer expectations", "预期质量"),
    "perceived_quality": Text("Perceived quality", "感知质量"),
    "perceived_value": Text("Perceived value", "感知价值"),
    "satisfaction": Text("Customer satisfaction", "顾客满意"),
    "loyalty": Text("Customer loyalty", "顾客忠诚"),
}
DRIVERS = {
    "network": (Text("Network quality", "网络质量"), 0.46, 79.0),
    "app": (Text("App ease of use", "App 易用"), 0.31, 71.5),
    "hotline": (Text("Hotline", "客服热线"), 0.27, 66.2),
    "tariff": (Text("Fair tariffs", "资费合理"), 0.38, 61.8),
    "complaints": (Text("Complaint handling", "投诉处理"), 0.31, 55.3),
    "store": (Text("Store", "营业厅"), 0.10, 80.2),
    "bill": (Text("Clear bills", "账单清晰"), 0.18, 73.6),
    "promise": (Text("Promises kept", "品牌承诺"), 0.22, 68.9),
    "install": (Text("Home installation", "安装维修"), 0.13, 69.1),
}
STAGES = {
    "new": Text("Prospect", "潜在客户"),
    "first": Text("First use", "首次使用"),
    "long": Text("Long-term", "长期使用"),
}
LABELS = {**BRANDS, **CONSTRUCTS, **STAGES, **{k: v[0] for k, v in DRIVERS.items()}}
WAVES = [f"{2023 + (q + 3) // 4}Q{(q + 3) % 4 + 1}" for q in range(12)]


def drawn(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - plausible numbers, not secrets


def index_frame() -> pl.DataFrame:
    draw = drawn(3)
    rows = []
    for brand, start in zip(BRANDS, (71.0, 74.0, 72.0, 68.0), strict=True):
        value = start
        for wave in WAVES:
            value += draw.uniform(-1, 1) + (0.45 if brand == "zx" else 0.0)
            rows.append((brand, wave, value, value - 1.3, value + 1.3, 300))
    return pl.DataFrame(rows, schema=["brand", "wave", "index", "conf_low", "conf_high", "n"], orient="row")


def paths_of(card: str = "ccsi") -> tuple[pl.DataFrame, pl.DataFrame]:
    draw = drawn(7)
    found = read_card(card)
    paths = []
    for arrow in found.arrows:
        size = draw.choice([0.05, 0.12, 0.21, 0.36, 0.46, 0.55, 0.62]) * (-1 if arrow.sign == "-" else 1)
        paths.append((arrow.predictor, arrow.outcome, size, size - 0.07, size + 0.07, abs(size) > 0.07))
    outcomes = {a.outcome for a in found.arrows}
    nodes = [(c, draw.uniform(62, 84), draw.uniform(0.2, 0.72) if c in outcomes else None) for c in found.constructs]
    return (
        pl.DataFrame(
            paths, schema=["predictor", "outcome", "estimate", "conf_low", "conf_high", "significant"], orient="row"
        ),
        pl.DataFrame(nodes, schema={"construct": pl.String, "index": pl.Float64, "r2": pl.Float64}, orient="row"),
    )


def chain_frame() -> pl.DataFrame:
    draw = drawn(5)
    rows = [(c, v := draw.uniform(68, 79), v - 1.4, v + 1.4, draw.uniform(69, 76), draw.uniform(-2, 2), i == 3)
            for i, c in enumerate(CONSTRUCTS)]  # fmt: skip
    names = ["construct", "index", "conf_low", "conf_high", "sector", "change", "significant"]
    return pl.DataFrame(rows, schema=names, orient="row")


def driver_frame() -> pl.DataFrame:
    rows = [(k, x, x - 0.05, x + 0.05, y, y - 1.5, y + 1.5) for k, (_, x, y) in DRIVERS.items()]
    names = [
        "name",
        "importance",
        "importance_low",
        "importance_high",
        "performance",
        "performance_low",
        "performance_high",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


def htmt_frame() -> pl.DataFrame:
    draw = drawn(11)
    names = list(CONSTRUCTS)
    rows = [(a, b, draw.choice([0.45, 0.58, 0.66, 0.72, 0.81, 0.87])) for i, a in enumerate(names) for b in names[:i]]
    return pl.DataFrame(rows, schema=["first", "second", "htmt"], orient="row")


def heat_frame() -> pl.DataFrame:
    draw = drawn(13)
    rows = []
    for row in DRIVERS:
        for column in (*BRANDS, *STAGES):
            few = (row, column) in {("install", "new"), ("complaints", "new")}
            rows.append((row, column, draw.uniform(55, 83), 70.0, 12 if few else 300))
    return pl.DataFrame(rows, schema=["row", "column", "value", "reference", "n"], orient="row")


def reliability_frame() -> pl.DataFrame:
    draw = drawn(17)
    return pl.DataFrame(
        [
            {
                "construct": c,
                "loadings": [
                    draw.uniform(0.62 if c == "loyalty" else 0.74, 0.92) for _ in range(draw.choice([2, 3, 5]))
                ],
                "alpha": draw.uniform(0.68, 0.9),
                "rho_a": draw.uniform(0.72, 0.9),
                "rho_c": draw.uniform(0.8, 0.93),
                "ave": draw.uniform(0.52, 0.8),
                "htmt_max": draw.uniform(0.6, 0.9),
            }
            for c in CONSTRUCTS
        ]
    )


def item_frame() -> pl.DataFrame:
    draw = drawn(19)
    rows = []
    for construct, label in CONSTRUCTS.items():
        for k in range(3):
            shares = [draw.uniform(0.2, 1) * (j + 1) ** 1.3 for j in range(10)]
            loading = draw.uniform(0.62, 0.92)
            rows.append(
                {
                    "construct": construct,
                    "item": f"{construct[:2].upper()}{k + 1}",
                    "wording": f"{label.zh}，第 {k + 1} 题",
                    "shares": [s / sum(shares) for s in shares],
                    "loading": loading,
                    "conf_low": loading - 0.05,
                    "conf_high": loading + 0.04,
                    "mean": draw.uniform(5, 8),
                    "missing": draw.choice([0.01, 0.02, 0.087]),
                }
            )
    return pl.DataFrame(rows)


def picture(name: str, finding: Text, make, *, half: bool = False) -> Figure:
    def at(width: int, lang: str) -> str:
        return make(lang=lang, finding=finding.say(lang), width=width)

    return Figure(name, partial(at, 508 if half else 1040), finding, "half" if half else "full", partial(at, 360))


def standings(frame: pl.DataFrame) -> Table:
    names = {"brand": Text("Brand", "品牌"), "index": Text("Index", "指数"), "low": Text("Lower", "下限")}
    columns = (
        Column("brand", names["brand"]),
        Column("index", names["index"], "score"),
        Column("conf_low", names["low"], "score"),
        Column("n", Text("n", "样本量"), "count"),
    )
    title = Text("All brands, this wave", "本期各品牌")
    return Table("standings", title, frame, columns, emphasis={(0, "index"): "focus"}, texts=BRANDS)


def facts() -> Table:
    rows = {
        "field": (Text("Fieldwork", "调查时间"), Text("3 July to 24 September 2026", "2026 年 7 月 3 日至 9 月 24 日")),
        "n": (Text("Answers", "有效问卷"), Text("2,642, at least 300 a brand", "2,642 份，每个品牌不少于 300 份")),
        "model": (Text("Model", "模型"), Text("CCSI, PLS, path weighting", "CCSI，PLS，路径加权")),
    }
    texts = {f"{k} {i}": pair[i] for k, pair in rows.items() for i in (0, 1)}
    frame = pl.DataFrame({"what": [f"{k} 0" for k in rows], "how": [f"{k} 1" for k in rows]})
    columns = (Column("what", Text("What", "项目")), Column("how", Text("How", "说明")))
    return Table("method", Text("Method", "方法"), frame, columns, texts=texts)


def plausible() -> Report:
    frame = index_frame()
    last = frame.filter(pl.col("wave") == WAVES[-1])
    mean = frame.group_by("wave", maintain_order=True).agg(pl.col("index").mean())
    changes = pl.DataFrame(
        {"brand": list(BRANDS), "change": [0.7, 1.6, -0.1, -2.8], "significant": [False] * 3 + [True]}
    )
    paths, nodes = paths_of()
    named = {"labels": LABELS}
    focal = {**named, "focal": "zx"}
    relaunch = [(WAVES[5], Text("App relaunch", "App 改版"))]
    up = Text("Up 2.0 points in a year, level with Yun'an", "一年上升 2.0 分，与云安并肩")
    why = Text("Satisfaction goes with image and quality", "与满意度关系最密切的是形象与质量")
    fix = Text("Tariffs, complaints and hotline come first", "先解决资费、投诉与热线")
    sections = (
        Section(
            "trend",
            up,
            Text(
                "Satisfaction index (0–100); bands are 95% intervals; a grey arrow is a change within sampling error",
                "满意度指数（0–100），带宽为 95% 置信区间；灰色箭头表示变化不显著",
            ),
            (
                picture(
                    "trend", up, partial(figures.trend, frame, changes=changes, mean=mean, events=relaunch, **focal)
                ),
            ),
        ),
        Section(
            "league",
            Text("Three brands share the lead", "三个品牌并列领先"),
            Text("Index with 95% interval, sorted", "指数与 95% 区间，按高低排序"),
            (
                picture(
                    "league",
                    Text("Three brands share the lead", "三个品牌并列领先"),
                    partial(
                        figures.league, last, mean=last["index"].mean(), same=[("zx", "ya"), ("ya", "hl")], **focal
                    ),
                    half=True,
                ),
            ),
            half=True,
        ),
        Section(
            "chain",
            Text("Ahead in value, behind in image", "价值领先，形象落后"),
            Text("Ring: sector; arrow: change from last quarter", "圆圈为行业均值；箭头为环比"),
            (picture("chain", Text("Chain", "链"), partial(figures.index_chain, chain_frame(), **focal), half=True),),
            half=True,
        ),
        Section(
            "model",
            why,
            Text(
                "Paths with 95% intervals; width = size, dashed = not significant, ring = R², number = index",
                "标准化路径系数与 95% 自助法区间；线宽为系数大小，虚线为不显著，圆环为 R²，圆内为指数得分",
            ),
            (
                picture(
                    "model",
                    why,
                    partial(
                        figures.path_diagram,
                        paths,
                        nodes,
                        layout=read_card("ccsi").layout,
                        target="satisfaction",
                        **named,
                    ),
                ),
            ),
            notes=(note("N-CARD", "The arrows of this card are provisional.", "该模型卡的路径尚待核对。"),),
        ),
        Section(
            "priorities",
            fix,
            Text("Crosses are 95% intervals, dotted lines the means", "十字为 95% 区间，虚线为均值"),
            (
                picture(
                    "map",
                    fix,
                    partial(figures.importance_map, driver_frame(), target=CONSTRUCTS["satisfaction"], **named),
                    half=True,
                ),
            ),
            half=True,
        ),
        Section(
            "validity",
            Text("Value and satisfaction are hard to tell apart", "满意度与价值区分偏弱"),
            Text("HTMT; above .85 in the warning colour", "HTMT 矩阵；高于 0.85 标红"),
            (
                picture(
                    "htmt",
                    Text("HTMT", "HTMT"),
                    partial(figures.htmt_matrix, htmt_frame(), order=list(CONSTRUCTS), **named),
                    half=True,
                ),
            ),
            half=True,
        ),
        Section(
            "stages",
            Text("Complaint handling is every brand's low point", "投诉处理是每个品牌的最低点"),
            Text("Colour is the distance from the sector's mean", "接触点得分，颜色为与行业均值之差"),
            (
                picture(
                    "heat",
                    Text("Heat", "热图"),
                    partial(
                        figures.heat_table,
                        heat_frame(),
                        groups=[
                            (Text("By brand", "各品牌"), list(BRANDS)),
                            (Text("Zhongxun by stage", "中讯：按客户阶段"), list(STAGES)),
                        ],
                        **focal,
                    ),
                ),
            ),
        ),
        Section(
            "reliability",
            Text("The scales hold; loyalty has one weak item", "量表可靠；忠诚有一题偏低"),
            Text("Dotted line: loading .708; HTMT above .85 in colour", "虚线为载荷 0.708；HTMT 高于 0.85 标红"),
            (
                picture(
                    "reliability",
                    Text("Scales", "量表"),
                    partial(figures.reliability_table, reliability_frame(), **named),
                ),
            ),
            tables=(standings(last),),
        ),
        Section(
            "items",
            Text("Item by item", "逐题检查"),
            Text("From low to high answers; shaded: loading below .708", "颜色从低分到高分；阴影为载荷低于 0.708"),
            (picture("items", Text("Items", "题项"), partial(figures.item_table, item_frame(), **named)),),
        ),
        Section(
            "method",
            Text("How these numbers were made", "数据与方法"),
            Text("", ""),
            tables=(facts(),),
            paragraphs=(Text("Intervals cover sampling error only.", "区间仅反映抽样误差。"),),
        ),
    )
    headline = Headline(
        Text("Customer satisfaction quarterly • Mobile telecom", "顾客满意度季度报告 · 移动通信"),
        Text(
            "Zhongxun draws level with the leader; complaints and price hold it back",
            "中讯赶上行业领先者，短板在投诉与资费",
        ),
        76.5,
        75.4,
        77.6,
        ((Text("vs 2026 Q2", "环比"), 0.7, 1.5, False), (Text("vs a year ago", "同比"), 2.0, 1.5, True)),
        Text("2026 Q3 • 4 brands • 2,642 valid interviews", "2026 年第三季度 · 4 个品牌 · 2,642 份有效问卷"),
    )
    return Report(Text("Mobile telecom 2026 Q3", "移动通信 2026 年第三季度"), headline, sections, {})


@pytest.fixture(scope="session")
def report() -> Report:
    return plausible()


@pytest.fixture(scope="session")
def path_frames():
    return paths_of


SMALL_STUDY = """
csi: 1
study: small
title: {zh: 小型研究, en: A small study}
sector: {zh: 行业, en: Sector}
language: zh
data: [{file: panel.csv}]
codebook: codebook.yaml
keys: {respondent: id, wave: wave, brand: brand, weight: w, stage: stage}
waves: {order: [2025Q1, 2025Q2, 2025Q3, 2025Q4, 2026Q1], base: 2025Q1, per_year: 4}
brands:
  - {name: A, zh: 甲, en: Alpha, focal: yes}
  - {name: B, zh: 乙, en: Beta}
  - {name: C, zh: <script>alert(1)</script>, en: "=cmd|' /C calc'!A0"}
stages: [{name: new, zh: 新客, en: New}, {name: old, zh: 老客, en: Old}, {name: rare, zh: 少数, en: Rare}]
model:
  text: |
    image =~ i1 + i2
    quality =~ q1 + q2 + q3
    satisfaction =~ s1 + s2
    loyalty =~ l1
    quality ~ image
    satisfaction ~ image + quality
    loyalty ~ satisfaction
index: {target: satisfaction, weights: base, base: 2025Q1}
bootstrap: {n: 200, seed: 5, interval: percentile, level: 0.95}
report: {small: 30, flagged: 100, events: [{wave: 2025Q3, zh: 事件, en: Event}]}
"""
SMALL_BOOK = """
scales:
  ten: {min: 1, max: 10, missing: {99: refused}}
constructs:
  image: {zh: 形象, en: Image}
  quality: {zh: 质量, en: Quality}
  satisfaction: {zh: 满意度, en: Satisfaction}
  loyalty: {zh: 忠诚, en: Loyalty}
items:
"""
SMALL_ITEMS = {"image": ["i1", "i2"], "quality": ["q1", "q2", "q3"], "satisfaction": ["s1", "s2"], "loyalty": ["l1"]}


def small_answers(per_cell: int = 80, waves: int = 5) -> pl.DataFrame:
    """Brands A and B in every wave (A rises), C with three answers in the last one; one stage is rare."""
    rng, rows = drawn(11), []
    names = ["2025Q1", "2025Q2", "2025Q3", "2025Q4", "2026Q1"][:waves]
    for place, wave in enumerate(names):
        for brand, level in (("A", 6.0 + 0.5 * place), ("B", 7.0), ("C", 6.0)):
            count = per_cell if brand != "C" else 3 if wave == names[-1] else 0
            for i in range(count):
                image = rng.gauss(0, 1)
                quality = 0.6 * image + rng.gauss(0, 0.8)
                satisfaction = 0.3 * image + 0.5 * quality + rng.gauss(0, 0.7)
                traits = {"i": image, "q": quality, "s": satisfaction, "l": 0.7 * satisfaction + rng.gauss(0, 0.7)}
                answers = {
                    item: round(min(max(level + 1.5 * (0.85 * traits[item[0]] + 0.5 * rng.gauss(0, 1)), 1), 10))
                    for items in SMALL_ITEMS.values()
                    for item in items
                }
                stage = "rare" if i % 10 == 0 else "new" if i % 2 else "old"
                weight = round(rng.uniform(0.7, 1.4), 3)
                rows.append(
                    {"id": f"{brand}{wave}{i}", "wave": wave, "brand": brand, "w": weight, "stage": stage, **answers}
                )
    return pl.DataFrame(rows).with_columns(q3=pl.when(pl.int_range(pl.len()) % 40 == 7).then(99).otherwise("q3"))


def write_small_study(folder, answers=None, study=SMALL_STUDY):
    """A study file, a codebook and answers in `folder`; returns the study file."""
    lines = [
        f"  - {{name: {item}, construct: {construct}, scale: ten, zh: 题{item}, en: Item {item}}}\n"
        for construct, items in SMALL_ITEMS.items()
        for item in items
    ]
    (folder / "codebook.yaml").write_text(SMALL_BOOK + "".join(lines), encoding="utf-8")
    (small_answers() if answers is None else answers).write_csv(folder / "panel.csv")
    (folder / "study.yaml").write_text(study, encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """The path of a small study: three brands, five quarters, a brand with three answers, a rare stage."""
    return write_small_study(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def make_study():
    """Writes the small study into a folder, with other answers or another study file."""
    return write_small_study


@pytest.fixture(scope="session")
def study_text():
    """The small study's file."""
    return SMALL_STUDY


@pytest.fixture(scope="session")
def answers():
    """Makes the small study's answers."""
    return small_answers


@pytest.fixture(scope="session")
def analysis(small_study):
    """Everything the small study's report needs."""
    from csi.reporting.analysis import analyse  # noqa: PLC0415 - only the tests that ask pay for it
    from csi.study import read_study, read_study_panel  # noqa: PLC0415 - same

    study = read_study(small_study)
    return analyse(study, read_study_panel(study))


@pytest.fixture(scope="session")
def told(small_study):
    """The small study's quarterly report."""
    from csi.reporting.build import report as tell  # noqa: PLC0415 - only the tests that ask pay for it

    return tell(small_study)
