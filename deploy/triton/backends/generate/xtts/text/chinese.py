"""Chinese as XTTS-v2 reads it: numbers as words, every mark a comma, all of it in pinyin.

Rules and tables: coqui-tts 0.28, TTS/tts/layers/xtts/zh_num2words.py (`normalize_nsw`, from chn_text_norm by Zhiyang
Zhou) and `chinese_transliterate`. On purpose other than there:

* a number is replaced where it stands: there "15和5个" loses the 15, because the first "5" of the text is replaced
* signs of money and marks between thousands are understood: there "$20" loses its dollars, "1,234" is two numbers
* zeros alone ("12:00") are said: there they vanish
"""

from __future__ import annotations

import re

from pypinyin import Style, pinyin

from .chinese_numbers import cardinal, one_by_one

_MONEY_UNIT = r"(?:千万|百万|[亿万千百]|(?:千万|百万|[亿万千百])?[元块]|[角毛分])"
_COUNTED = (
    "(?:[千毫微]克|[千分厘毫]米|["
    "匹张座回场尾条个首阙阵网炮顶丘棵只支袭辆挑担颗壳窠曲墙群腔砣客贯扎捆刀令打手罗坡山岭江溪钟队单双对出口头脚板跳枝件贴"
    "针线管名位身堂课本页家户层丝毫厘分钱两斤铢石钧锱忽寸尺丈里寻常铺程撮勺合升斗盘碗碟叠桶笼盆盒杯斛锅簋篮罐瓶壶卮盏箩箱煲"
    "啖袋钵年月日季刻时周天秒旬纪岁世更夜春夏秋冬代伏辈丸泡粒幢堆根道面片块])"
)
"""What is counted: after a number it makes the number a count, which is said as one number."""
_NUMBER = r"\d+(?:\.\d+)?"

_GROUPED = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_THOUSANDS = re.compile(rf"(?<![\d,.]){_GROUPED}(?!\d|,\d)")
_SIGNS = {"$": "美元", "€": "欧元", "£": "英镑", "¥": "元", "￥": "元"}
_SIGN_BEFORE = re.compile(rf"(?:us)?([$€£¥￥]) ?({_GROUPED}|{_NUMBER})([千百十]?[万亿]?)(?:元|美元|欧元|英镑)?")
_SIGN_BEHIND = re.compile(rf"({_GROUPED}|{_NUMBER}) ?([$€£¥￥])")
_DAY = r"\d{1,2}月(?:\d{1,2}[日号])?"
_DATE = re.compile(rf"(?<!\d)(?:(?:(?P<year>[089]\d|(?:19|20)\d\d)年)(?:{_DAY})?|{_DAY})")
_MONEY = re.compile(rf"(?<!\d){_NUMBER}[多余几]?{_MONEY_UNIT}(?:\d{_MONEY_UNIT}?)?")
_MOBILE = re.compile(r"(?<!\d)\+?(?:86 ?)?1(?:[38]\d|5[0-35-9]|7[678]|9[89])\d{8}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(?:0(?:10|2[1-3]|[3-9]\d\d)-?)?[1-9]\d{6,7}(?!\d)")
_FRACTION = re.compile(r"(\d+)/(\d+)")
_PERCENT = re.compile(rf"({_NUMBER})[%％]")
_COUNT = re.compile(rf"({_NUMBER})([多余几]?{_COUNTED})")
_LONG = re.compile(r"\d{4,32}")
_ANY = re.compile(_NUMBER)
_BETWEEN_LETTERS = re.compile(r"(?<=[a-zA-Z])二(?=[a-zA-Z])")

_MARKS = (
    "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃《》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏·〈〉"
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)
_COMMAS = str.maketrans(_MARKS, "," * len(_MARKS))


def expand_numbers(text: str) -> str:
    """Write numbers as words and every mark as a comma."""
    text = _SIGN_BEFORE.sub(lambda found: f"{found[2]}{found[3]}{_SIGNS[found[1]]}", text)
    text = _SIGN_BEHIND.sub(lambda found: f"{found[1]}{_SIGNS[found[2]]}", text)
    text = _THOUSANDS.sub(lambda found: cardinal(found[0].replace(",", "")), text)
    text = _DATE.sub(_date, text)
    text = _MONEY.sub(_numbers_in, text)
    text = _MOBILE.sub(lambda found: one_by_one(found[0]), text)
    text = _LANDLINE.sub(lambda found: one_by_one(found[0]), text)
    text = _FRACTION.sub(lambda found: f"{cardinal(found[2])}分之{cardinal(found[1])}", text)
    text = _PERCENT.sub(lambda found: f"百分之{cardinal(found[1])}", text)
    text = _COUNT.sub(lambda found: cardinal(found[1]) + found[2], text)
    text = _LONG.sub(lambda found: one_by_one(found[0]), text)
    text = _ANY.sub(lambda found: cardinal(found[0]), text)
    return _BETWEEN_LETTERS.sub("2", text).translate(_COMMAS)  # b2b


def in_pinyin(text: str) -> str:
    """Write Chinese characters as pinyin with the tone's number, 5 for none: "你好 ok" is "ni3hao3 ok"."""
    return "".join(said[0] for said in pinyin(text, style=Style.TONE3, heteronym=False, neutral_tone_with_five=True))


def _numbers_in(found: re.Match[str]) -> str:
    return _ANY.sub(lambda number: cardinal(number[0]), found[0])


def _date(found: re.Match[str]) -> str:
    year = found["year"]
    rest = found[0].removeprefix(f"{year}年") if year else found[0]
    said = _ANY.sub(lambda number: cardinal(number[0]), rest)
    return f"{one_by_one(year)}年{said}" if year else said
