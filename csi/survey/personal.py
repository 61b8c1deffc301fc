"""Columns that name people (addresses, names, telephone numbers, accounts, devices): they stay behind in the reader."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

import polars as pl

from csi.errors import Problem, did_you_mean, problem
from csi.survey.datafile import DataFile, Raw

NAMES: Final = """
ip ipaddr ipaddress 来自ip ip地址 答题ip 用户ip 填写ip name firstname lastname fullname username surname
recipientfirstname recipientlastname recipientemail externalreference externaldatareference locationlatitude
locationlongitude latitude longitude email emailaddress mail phone phonenumber mobile mobilephone mobilenumber
telephone tel cellphone homephone otherphone fax openid unionid wechat wechatid weixin qq qq号 qq号码 deviceid
imei imsi simserial subscriberid macaddress clientmac submittedby geolocation gps 姓名 名字 手机 手机号 手机号码
电话 电话号码 联系电话 联系方式 邮箱 电子邮箱 邮件地址 电子邮件 电子邮件地址 微信 微信号 昵称 微信昵称 用户昵称
用户标识 用户名 账号 设备号 设备id 设备标识 身份证 身份证号 身份证号码 家庭住址 详细地址 住址 头像 学号 工号
mailingstreet mailingaddress streetaddress homeaddress birthdate birthday 出生日期 生日
respname respondentname customername contactname accountname clientname membername gpslatitude gpslongitude cell
经度 纬度 车牌 车牌号 passport passportno ssn signature token 联系人 签名 签字 会员姓名 客户姓名 受访者姓名
微信openid 微信unionid 用户openid 微信头像
"""
"""Names of columns without blanks and marks, in lower case."""

EXACT: Final = frozenset(NAMES.split())
"""The same, one by one."""

WORDS: Final = re.compile(
    r"姓名|贵姓|怎么称呼|车牌|护照|联系人|手机号|手机号码|联系电话|电话号码|联系方式|身份证|邮箱|微信号|微信昵称|昵称|家庭住址|详细地址|openid|来自ip"
    r"|\be-?mail( address)?\b|\b(tele|cell|mobile )?phone( number)?\b|\bmobile number\b"
    r"|\b(first|last|full|your|customer|contact|client|account|respondent) name\b"
    r"|\bip.?address\b|\bdevice.?id\b|\bwechat\b|\b(street|home|postal|mailing) address\b",
    re.IGNORECASE,
)
"""Words in a longer name, such as that of a question; believed where the column holds no answers on a scale."""

VALUES: Final = re.compile(
    r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}|(\d{1,3}\.){3}\d{1,3}(\(.*\)|（.*）)?|(\+?86[- ]?)?1[3-9]\d{9}|\d{17}[\dXx]"
)
"""Mail and IP addresses, Chinese mobile numbers and identity numbers."""

LOOKED: Final = 500
"""Cells of a column that are looked at."""

FEWEST, SHARE = 3, 0.8
"""So many cells, and so large a share of them, tell what a column holds."""


def without_personal(raw: Raw, kept: Collection[str] = ()) -> Raw:
    """The export without the columns that name people; their names stand in `Raw.personal`.

    Parameters:
        kept: columns that stay whatever they hold, because the study uses them or asks for them.

    Example:
        >>> frame = pl.DataFrame({"id": ["1"], "来自IP": ["1.2.3.4(广东-深圳)"], "q1": ["5"]})
        >>> raw = without_personal(Raw("a.csv", "", frame))
        >>> raw.frame.columns, raw.personal
        (['id', 'q1'], ('来自IP',))
    """
    found = tuple(
        c
        for c in raw.frame.columns
        if c not in kept and any(names_people(name, raw.frame[c]) for name in _called(raw, c))
    )
    if not found:
        return raw
    left = {name: text for name, text in raw.wording.items() if name not in found}
    return replace(raw, frame=raw.frame.drop(found), wording=left, personal=(*raw.personal, *found))


def not_there(file: DataFile, columns: Collection[str]) -> Iterator[Problem]:
    """A problem for each column that `personal:` asks for and the file has not.

    Example:
        >>> from pathlib import Path
        >>> print(next(not_there(DataFile(Path("a.csv"), personal=("phon",)), ["phone", "q1"])).say())
        a.csv: personal: there is no column "phon". Did you mean "phone"?
    """
    for name in file.personal:
        if name not in columns:
            hint = did_you_mean(name, list(columns))
            en, zh = f'personal: there is no column "{name}".', f"personal：没有“{name}”列。"
            yield problem("E-COLUMN", file.place or file.path.name, en, zh, hint.en, hint.zh)


def _called(raw: Raw, column: str) -> Iterator[str]:
    """What a column is called: its name, its question, and what stands in brackets at the end of either.

    Of a heading "token. Access code" of LimeSurvey also the code, where it is a field of its own and no question.
    """
    if raw.platform is not None and raw.platform.name == "limesurvey" and column not in raw.wording:
        yield column.partition(". ")[0]
    for text in (column, raw.wording.get(column, "")):
        if text:
            yield text
            yield from re.findall(r"[\[［]([^\[\]［］]+)[\]］]\s*$", text)


def names_people(name: str, column: pl.Series) -> bool:
    """Whether a column names people, by its name or by what its cells hold.

    Example:
        >>> texts = pl.Series(["a@b.cn", "c@d.cn", "e@f.cn"])
        >>> names_people("q7", texts), names_people("RecipientEmail", texts), names_people("q8", pl.Series(["5"]))
        (True, True, False)
        >>> answers, ticks = pl.Series(["5", "4", "5"]), pl.Series(["1", "0", "1"])
        >>> names_people("您对客服联系电话的满意度", answers), names_people("(手机)", ticks)
        (False, False)
    """
    plain = re.sub(r"[^\w]|_", "", name).lower()
    if plain in EXACT:
        return not _ticked(column)
    told = WORDS.search(name) is not None
    if column.dtype != pl.String:
        return told and not column.dtype.is_numeric()
    cells = column.drop_nulls().head(LOOKED)
    if told and not _on_a_scale(cells):
        return True
    return cells.len() >= FEWEST and _share(cells, rf"^\s*(?:{VALUES.pattern})\s*$") >= SHARE


def _ticked(column: pl.Series) -> bool:
    """Whether a column says of a choice whether it was ticked: 0 and 1, and marks of no answer."""
    if not (column.dtype == pl.String or column.dtype.is_numeric()):
        return False
    cells = column.drop_nulls().cast(pl.String).head(LOOKED)
    ticks = _share(cells, r"^\s*[01](?:\.0)?\s*$")
    return ticks > 0 and ticks + _share(cells, r"^\s*(?:-\d|[(（]\D*[)）])\s*$") >= 1


def _on_a_scale(cells: pl.Series) -> bool:
    """Whether cells look like answers to choose from: small numbers, or few texts that come again and again."""
    if not cells.len():
        return False
    return _share(cells, r"^\s*-?\d{1,3}\s*$") >= SHARE or cells.len() >= 2 * cells.n_unique()


def _share(cells: pl.Series, pattern: str) -> float:
    """The share of cells that a pattern fits."""
    return float(cells.str.contains(pattern).sum()) / cells.len() if cells.len() else 0.0
