"""Fixtures of the study tests: a small study in a temporary folder, and the study of the four SFO waves."""

import os
from pathlib import Path

import pytest

NAMES = (
    "ART FOOD SHOP SIGN WALK SCREEN INFOARR INFODEP ROAD PARK AIRTRAIN LTPARK RENTAL WHOLE "
    "CLNBOARD CLNFOOD CLNBATH SAFE"
)

COLUMNS = {
    "2010": "Q6A Q6B Q6C Q6D Q6E Q6F Q6G Q6H Q6I Q6J Q6K Q6L Q6M Q6N Q8A Q8E Q8F Q9",
    "2011": "Q8A Q8B Q8C Q8D Q8E Q8F Q8G Q8H Q8I Q8J Q8K Q8L Q8M Q8N Q10A Q10E Q10F Q11",
    "2012": "Q8A_ART Q8B_FOOD Q8C_SHOP Q8D_SIGNS Q8E_WALK Q8F_SCREENS Q8G_INFOARR Q8H_INFODEP Q8I_ROAD Q8J_PARK "
    "Q8K_AIRTRAIN Q8L_LTPARK Q8M_RENTAL Q8N_WHOLE Q10A_CLNBOARD Q10E_CLNFOOD Q10F_CLNBATH Q11SAFE",
    "2013": "Q7A_ART Q7B_FOOD Q7C_SHOPS Q7D_SIGNS Q7E_WALK Q7F_SCREENS Q7G_INFOARR Q7H_INFODEP Q7J_ROAD Q7K_PARK "
    "Q7L_AIRTRAIN Q7M_LTPARK Q7N_RENTAL Q7O_WHOLE Q9A_CLNBOARD Q9D_CLNFOOD Q9E_CLNBATH Q10SAFE",
}
"""The columns of `NAMES` in each wave: one questionnaire, other names every year (field guides beside the data)."""

SFO = """\
csi: 1
study: sfo
title: {zh: 旧金山国际机场旅客满意度, en: SFO customer survey}
sector: {zh: 机场, en: Airports}
language: en
keys: {respondent: RESPNUM, weight: WEIGHT}
waves: {order: [2010, 2011, 2012, 2013], base: 2010, per_year: 1, respondents: new}
rules: {straight_lining: flag, straight_lining_items: 12}
index: {target: satisfaction, weights: base}
bootstrap: {n: 500, seed: 2013}
model:
  text: |
    amenities    =~ ART + FOOD + SHOP
    orientation  =~ SIGN + WALK + SCREEN
    cleanliness  =~ CLNBOARD + CLNFOOD + CLNBATH
    safety       =~ SAFE
    satisfaction =~ WHOLE
    safety       ~ cleanliness + orientation
    satisfaction ~ amenities + orientation + cleanliness + safety
codebook:
  scales:
    # 6: have never used or visited; 0: left blank
    five: {min: 1, max: 5, missing: {0: empty, 6: not_asked, Blank: empty, BLANK: empty}}
  constructs:
    amenities: {zh: 商业与艺术设施, en: Amenities}
    orientation: {zh: 导向与通行, en: Finding the way}
    information: {zh: 问询服务, en: Information desks}
    access: {zh: 进出与停车, en: Access and parking}
    cleanliness: {zh: 清洁, en: Cleanliness}
    safety: {zh: 安全感, en: Feeling safe}
    satisfaction: {zh: 总体评价, en: Airport as a whole}
  items:
    - {name: ART, construct: amenities, scale: five, zh: 艺术展览, en: Artwork and exhibitions}
    - {name: FOOD, construct: amenities, scale: five, zh: 餐饮, en: Restaurants}
    - {name: SHOP, construct: amenities, scale: five, zh: 商店, en: Retail shops}
    - {name: SIGN, construct: orientation, scale: five, zh: 指示标识, en: Signs and directions}
    - {name: WALK, construct: orientation, scale: five, zh: 自动步道与电梯, en: Escalators and walkways}
    - {name: SCREEN, construct: orientation, scale: five, zh: 航班信息屏, en: Information on screens}
    - {name: INFOARR, construct: information, scale: five, zh: 到达层问询处, en: Information booths (arrivals)}
    - {name: INFODEP, construct: information, scale: five, zh: 出发层问询处, en: Information booths (departures)}
    - {name: ROAD, construct: access, scale: five, zh: 道路标识, en: Signs on roadways}
    - {name: PARK, construct: access, scale: five, zh: 停车设施, en: Parking facilities}
    - {name: AIRTRAIN, construct: access, scale: five, zh: 机场捷运, en: AirTrain}
    - {name: LTPARK, construct: access, scale: five, zh: 长期停车场接驳, en: Long-term parking lot}
    - {name: RENTAL, construct: access, scale: five, zh: 租车中心, en: Rental car center}
    - {name: WHOLE, construct: satisfaction, scale: five, zh: 机场总体, en: SFO as a whole}
    - {name: CLNBOARD, construct: cleanliness, scale: five, zh: 候机区清洁, en: Clean boarding areas}
    - {name: CLNFOOD, construct: cleanliness, scale: five, zh: 餐厅清洁, en: Clean restaurants}
    - {name: CLNBATH, construct: cleanliness, scale: five, zh: 洗手间清洁, en: Clean restrooms}
    - {name: SAFE, construct: safety, scale: five, zh: 感到安全, en: How safe do you feel at SFO}
data:
"""


def sfo_text(data: Path) -> str:
    """The study file of the four waves, with one rename map per file."""
    lines = [SFO]
    for wave, columns in COLUMNS.items():
        pairs = ", ".join(f"{item}: {column}" for item, column in zip(NAMES.split(), columns.split(), strict=True))
        lines.append(f"  - file: {data / f'sfo_{wave}.csv'}\n    wave: {wave}\n    rename: {{{pairs}}}\n")
    return "".join(lines)


@pytest.fixture(scope="session")
def reference_dir():
    folder = os.environ.get("CSI_REFERENCE_DIR")
    if not folder:
        pytest.skip("row-level data: set CSI_REFERENCE_DIR to the folder that holds data/ and reference/")
    return Path(folder).resolve()


@pytest.fixture
def sfo_study(reference_dir, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(sfo_text(reference_dir / "data" / "sfo_2010_2013"), encoding="utf-8")
    return path


STUDY = """\
csi: 1
study: shop
title: {zh: 商店, en: Shop}
language: en
data:
  - {file: answers.csv}
codebook: codebook.yaml
keys: {respondent: id, wave: quarter, weight: }
waves: {order: [2024Q1, 2024Q2], base: 2024Q1}
brands:
  - {name: A, zh: 甲, en: Alpha, focal: true}
model:
  text: |
    quality =~ q1 + q2
    satisfaction =~ s1
    satisfaction ~ quality
index: {target: satisfaction}
"""

CODEBOOK = """\
scales:
  ten: {min: 1, max: 10, missing: {99: refused}}
constructs:
  quality: {zh: 质量, en: Quality}
  satisfaction: {zh: 满意, en: Satisfaction}
items:
  - {name: q1, construct: quality, scale: ten, zh: 好, en: Good}
  - {name: q2, construct: quality, scale: ten, reverse: yes, en: Bad}
  - {name: s1, construct: satisfaction, scale: ten, column: 满意度}
"""

ANSWERS = "id,quarter,q1,q2,满意度\na,2024Q1,7,3,8\nb,2024Q2,99,1,10\n"


@pytest.fixture
def write_study(tmp_path):
    """A small study with changes: pairs of (old, new) text in the study file and in the codebook."""

    def _write(*changes, codebook=()):
        texts = {"study.yaml": STUDY, "codebook.yaml": CODEBOOK, "answers.csv": ANSWERS}
        for name, pairs in (("study.yaml", changes), ("codebook.yaml", codebook)):
            for old, new in pairs:
                assert old in texts[name], old
                texts[name] = texts[name].replace(old, new)
        for name, text in texts.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / "study.yaml"

    return _write
