"""Sentences follow from numbers, branch by branch, in both languages."""

import itertools
from dataclasses import replace

import pytest

from csi.errors import Text
from csi.reporting import words
from csi.reporting.words import Change, Gap, Named, Standing

ME = Text("Zhongxun", "中讯")
YUNAN = Text("Yun'an", "云安")
HAILIAN = Text("Hailian", "海联")
UP, DOWN, FLAT = (
    Change(2.0, 1.5, significant=True),
    Change(-2.0, 1.5, significant=True),
    Change(0.7, 1.5, significant=False),
)


def league_of(value, *rivals):
    return Standing(ME, value, tuple(Gap(b, v, value - v, s) for b, v, s in rivals))


@pytest.mark.parametrize(
    ("previous", "year", "en", "zh"),
    [
        (None, None, "first measurement, with nothing earlier to compare", "首次测量，尚无可比的前期"),
        (UP, None, "up 2.0 points on the previous quarter", "较上季度上升 2.0 分"),
        (DOWN, None, "down 2.0 points on the previous quarter", "较上季度下降 2.0 分"),
        (FLAT, None, "no significant change on the previous quarter", "较上季度无显著变化"),
        (None, UP, "up 2.0 points in a year", "一年上升 2.0 分"),
        (UP, UP, "up 2.0 points in a year", "一年上升 2.0 分"),
        (FLAT, DOWN, "down 2.0 points in a year", "一年下降 2.0 分"),
        (FLAT, FLAT, "no significant change in a year", "一年来无显著变化"),
        (UP, FLAT, "up 2.0 points on the previous quarter", "较上季度上升 2.0 分"),
        (
            DOWN,
            UP,
            "up 2.0 points in a year but down 2.0 on the previous quarter",
            "一年上升 2.0 分，但较上季度下降 2.0 分",
        ),
    ],
)
def test_movement_tells_only_significant_changes(previous, year, en, zh):
    said = words.movement(previous, year)
    assert (said.en, said.zh) == (en, zh)


def test_a_yearly_study_has_one_comparison():
    assert words.movement(UP, UP, per_year=1).zh == "一年上升 2.0 分"
    assert words.movement(FLAT, None, per_year=1).en == "no significant change in a year"


def test_a_large_insignificant_change_is_not_called_a_rise():
    said = words.movement(Change(5.0, 6.0, significant=False), None)
    assert "5.0" not in said.en
    assert "上升" not in said.zh


def since(difference, *, significant=True):
    """The year's change of the gap, on every rival of a standing."""
    return Change(difference, 1.5, significant)


@pytest.mark.parametrize(
    ("now", "moved", "en", "zh"),
    [
        (league_of(78, (YUNAN, 75.0, True), (HAILIAN, 73.0, True)), None, "Zhongxun leads the sector", "中讯领先行业"),
        (
            league_of(76.5, (YUNAN, 75.7, False), (HAILIAN, 73.0, True)),
            since(3.8),
            "Zhongxun gained 3.8 points on Yun'an in a year and does not differ significantly from it now",
            "中讯一年来相对云安提高 3.8 分，目前差异不显著",
        ),
        (
            league_of(75.0, (YUNAN, 75.7, False)),
            since(-2.6),
            "Zhongxun lost 2.6 points to the leader, Yun'an, in a year and does not differ significantly from it now",
            "中讯一年来相对领先的云安下降 2.6 分，目前差异不显著",
        ),
        (
            league_of(76.5, (YUNAN, 75.7, False)),
            since(3.8, significant=False),
            "Zhongxun is highest but does not differ significantly from Yun'an (gap 0.8)",
            "中讯最高，但与云安差异不显著（相差 0.8 分）",
        ),
        (
            league_of(76.5, (YUNAN, 75.7, False), (HAILIAN, 75.0, False)),
            None,
            "Zhongxun is highest but does not differ significantly from Yun'an and Hailian",
            "中讯最高，但与云安、海联差异均不显著",
        ),
        (
            league_of(75.0, (YUNAN, 75.7, False)),
            None,
            "Zhongxun does not differ significantly from the leader, Yun'an (gap 0.7)",
            "中讯与领先的云安差异不显著（相差 0.7 分）",
        ),
        (
            league_of(71.0, (YUNAN, 75.7, True), (HAILIAN, 70.0, False)),
            since(-2.0, significant=False),
            "Zhongxun trails the leader, Yun'an, by 4.7 points",
            "中讯落后领先的云安 4.7 分",
        ),
        (
            league_of(71.0, (YUNAN, 75.7, True), (HAILIAN, 70.0, False)),
            since(-4.0),
            "Zhongxun trails the leader, Yun'an, by 4.7 points, 4.0 more than a year ago",
            "中讯落后领先的云安 4.7 分，差距一年来扩大 4.0 分",
        ),
        (
            league_of(66.0, (YUNAN, 75.7, True), (HAILIAN, 70.0, True)),
            None,
            "Zhongxun is last in the sector",
            "中讯居行业末位",
        ),
    ],
)
def test_headline_tells_movement_only_where_the_gap_itself_changed(now, moved, en, zh):
    said = words.headline(replace(now, rivals=tuple(replace(g, since=moved) for g in now.rivals)))
    assert (said.en, said.zh) == (en, zh)


def test_headline_names_at_most_two_weak_points():
    now = league_of(78, (YUNAN, 75.0, True))
    weak = [Text("Complaints", "投诉"), Text("Price", "资费"), Text("Image", "形象")]
    assert words.headline(now, weak).zh == "中讯领先行业，短板在投诉与资费"
    assert words.headline(now, weak).en == "Zhongxun leads the sector; complaints and price are its weak points"
    assert words.headline(now, weak[:1]).en == "Zhongxun leads the sector; complaints is its weak point"


def test_headline_of_a_single_brand_tells_its_movement():
    assert words.headline(Standing(ME, 76.5), year=UP).zh == "中讯一年上升 2.0 分"
    assert words.headline(Standing(ME, 76.5)).en == "Zhongxun: first measurement, with nothing earlier to compare"


def test_headline_without_an_index_claims_nothing():
    said = words.headline(Standing(ME, None, (Gap(YUNAN, 75.0, 0.0, significant=False),)), [Text("Price", "资费")])
    assert said.zh == "中讯本季度不公布指数"
    assert said.en == "Zhongxun: no index this quarter"


def test_an_uncertain_leader_is_not_the_one_we_trail():
    """The highest rival has a wide interval; the sentence names the one that is significantly ahead."""
    now = league_of(71.0, (YUNAN, 76.0, False), (HAILIAN, 75.0, True))
    assert words.headline(now).zh == "中讯落后领先的海联 4.0 分"


def test_headline_without_a_weak_point_names_the_largest_gain_or_nothing():
    now = league_of(78, (YUNAN, 75.0, True))
    quality = Text("Perceived quality", "感知质量")
    assert words.headline(now, most=quality).en == "Zhongxun leads the sector; most to gain from perceived quality"
    assert words.headline(now, most=quality).zh == "中讯领先行业，提升感知质量的预期增益最大"
    assert words.headline(now, [Text("Price", "资费")], most=quality).zh == "中讯领先行业，短板在资费"


@pytest.mark.parametrize(
    ("now", "zh"),
    [
        (league_of(76.5, (YUNAN, 75.7, False)), "与云安差异不显著（相差 0.8 分）"),
        (league_of(79.0, (YUNAN, 75.7, True)), "领先所有对手"),
        (league_of(70.0, (YUNAN, 75.7, True)), "落后云安 5.7 分"),
        (Standing(ME, 70.0), ""),
    ],
)
def test_trend_relation_is_of_the_present(now, zh):
    said = words.trend(now, year=UP)
    assert said.zh == "，".join(["一年上升 2.0 分", *([zh] if zh else [])])
    assert "first" not in said.en


def test_trend_without_an_index():
    assert words.trend(Standing(ME, None)).zh == "本期不公布指数"


def test_league_groups():
    a, b, c, d = (Text(x, x) for x in "ABCD")
    assert words.league([a], [b, c]).en == "A leads alone; B and C are significantly lower"
    assert words.league([a, b, c], [d]).zh == "A最高，B与C与其差异不显著，D显著低于A"
    assert words.league([a, b], []).en == "No brand differs significantly from A, the highest"
    assert words.league([a], []).zh == "只有一个品牌，无从排名"
    assert words.league([], []).zh == "没有可供排名的指数"
    assert (
        words.league([a, b], [c], [d]).en
        == "A is highest, from which B does not differ significantly; C is significantly below A; "
        "D has too few answers to rank"
    )


def test_model_names_only_significant_drivers():
    target = Text("Satisfaction", "满意度")
    quality = Named(Text("Perceived quality", "感知质量"), 0.6, significant=True)
    value = Named(Text("Perceived value", "感知价值"), 0.4, significant=True)
    image = Named(Text("Image", "品牌形象"), 0.1, significant=True)
    loud = Named(Text("Price", "资费"), 0.9, significant=False)
    assert (
        words.model(target, [image, value, quality, loud], 9, 7).zh
        == "与满意度关联最强的是感知质量与感知价值，9 条路径中 7 条显著"
    )
    assert words.model(target, [image, quality], 9, 7).en.startswith(
        "Satisfaction goes most closely with perceived quality;"
    )
    assert words.model(target, [loud], 9, 0).en.startswith("No total effect on satisfaction can be told from zero")


def test_priorities_and_their_absence():
    assert words.priorities([Text("Price", "资费")], 5).en == "Start with price"
    assert words.priorities([], 5).en == "Nothing is both important and weak"
    assert words.priorities([], 1).zh == "只有一个驱动因素，无从排序"


def test_chain_against_the_sector():
    up = Named(Text("Image", "品牌形象"), 78.0, 2.0, significant=True)
    down = Named(Text("Perceived value", "感知价值"), 66.0, -2.4, significant=True)
    assert (
        words.chain([up, down], sector=True).en
        == "Image is above the sector mean; perceived value is below the sector mean"
    )
    flat = Named(Text("Image", "品牌形象"), 78.0, 2.0, significant=False)
    assert words.chain([flat], sector=True).zh == "各构念与行业均值均无显著差异"
    assert words.chain([flat], sector=False).zh == "品牌形象为 78.0"
    assert words.chain([], sector=True).en == "No index could be computed"


def test_items_are_named_as_items():
    wording, other = Text("The price is fair", "资费合理"), Text("Worth it", "值得")
    said = words.priorities([], 4, [wording])
    assert said.en == "Start with the item “The price is fair”; no construct is both important and weak"
    assert said.zh == "先改进题项“资费合理”，构念层面没有既重要又薄弱的环节"
    assert words.priorities([other], 4, [wording]).en == "Start with worth it"
    hedged = words.priorities([], 4, perhaps=[wording, other])
    assert hedged.en == "No construct is both important and weak; the items “The price is fair” and “Worth it” may be"
    assert hedged.zh == "构念层面没有既重要又薄弱的环节，题项“资费合理”与“值得”可能是"


def test_groups_are_judged_by_every_pair():
    """The wide pair of the lowest and the highest may miss significance where a narrow one does not."""
    names = [Text(n, n) for n in ("Low", "Mid", "Next", "High")]
    low, mid, near, high = names
    groups = [Named(n, v) for n, v in zip(names, (70.0, 71.0, 73.0, 74.0), strict=True)]
    assert words.stages(groups, []).zh == "各组之间差异不显著"
    assert words.stages(groups, [(mid, near, 2.0)]).en == "Mid scores 2.0 points lower than next"
    assert words.stages(groups, [(mid, near, 2.0), (mid, high, 3.0)]).zh == "Mid比High低 3.0 分，另有 1 对差异显著"
    assert words.stages(groups, [(low, near, 3.0)]).zh == "Low是最低的一组，比Next低 3.0 分"
    assert (
        words.stages(groups, [(low, near, 3.0), (low, high, 4.0)]).en
        == "Low is the lowest group, significantly below next and high"
    )
    assert words.stages(groups[:1], []).zh == "可公布的分组不足两个，无从比较"


def test_measurement_sentences():
    weak, ok = Text("Loyalty", "顾客忠诚"), Text("Satisfaction", "满意度")
    assert words.measurement([weak], [], [], [], judged=6).zh == "顾客忠诚信度不足 0.70，各构念区分清楚"
    assert words.measurement([], [weak], [], [], judged=6).en == "Loyalty: AVE below .50; the constructs are distinct"
    assert (
        words.measurement([], [], [], [(ok, weak), (weak, ok)], judged=6).zh
        == "量表可靠，满意度与顾客忠诚等 2 对构念区分不足"
    )
    assert words.measurement([], [], [], [], judged=0).zh == "均为单题构念，无从判断信度"


def test_items_and_fieldwork():
    many = [Text(f"q{i}", f"q{i}") for i in range(5)]
    assert words.items([], 24).zh == "24 题的载荷（0.708）与缺失（5%）全部合格"
    assert words.items(many, 24).zh == "24 题中 19 题的载荷（0.708）与缺失（5%）合格，q0、q1和q2等 5 题需要斟酌"
    assert words.items(many, 24).en == (
        "19 of 24 items pass loading .708 and missing share 5%; q0, q1 and q2, with 2 more, need another look"
    )
    assert words.fieldwork(100, 0, 0).zh == "100 份答卷全部保留"
    assert words.fieldwork(0, 0, 0).en == "No answers were read"


def test_wave_names():
    assert words.wave_name("2026H2").zh == "2026 年下半年"
    assert words.wave_name("2026M07").en == "July 2026"
    assert words.wave_name("2026").zh == "2026 年"
    assert words.wave_name("200013").zh == "200013"


def test_chinese_sentences_use_full_width_punctuation_and_english_ones_none():
    standings = [
        league_of(78, (YUNAN, 75.0, True)),
        league_of(71, (YUNAN, 75.0, True)),
        league_of(75, (YUNAN, 75.5, False)),
    ]
    for now, previous, year in itertools.product(standings, (None, UP, FLAT), (None, DOWN, FLAT)):
        for said in (
            words.headline(now, [YUNAN], previous=previous, year=year),
            words.trend(now, previous=previous, year=year),
        ):
            assert not set(",;:()!?") & set(said.zh)
            assert not set("，；：（）。、") & set(said.en)
            assert said.en[0].isupper()
