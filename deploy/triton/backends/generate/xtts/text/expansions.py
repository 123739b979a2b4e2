"""Abbreviations and signs as words, per language.

Tables: coqui-tts 0.28, TTS/tts/layers/xtts/tokenizer.py, `_abbreviations` and `_symbols_multilingual`; the words for €
and ₹ are ours: there they stay signs, which the vocabulary does not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ABBREVIATIONS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "mrs": "misess",
        "mr": "mister",
        "dr": "doctor",
        "st": "saint",
        "co": "company",
        "jr": "junior",
        "maj": "major",
        "gen": "general",
        "drs": "doctors",
        "rev": "reverend",
        "lt": "lieutenant",
        "hon": "honorable",
        "sgt": "sergeant",
        "capt": "captain",
        "esq": "esquire",
        "ltd": "limited",
        "col": "colonel",
        "ft": "fort",
    },
    "es": {
        "sra": "señora",
        "sr": "señor",
        "dr": "doctor",
        "dra": "doctora",
        "st": "santo",
        "co": "compañía",
        "jr": "junior",
        "ltd": "limitada",
    },
    "fr": {
        "mme": "madame",
        "mr": "monsieur",
        "dr": "docteur",
        "st": "saint",
        "co": "compagnie",
        "jr": "junior",
        "ltd": "limitée",
    },
    "de": {"fr": "frau", "dr": "doktor", "st": "sankt", "co": "firma", "jr": "junior"},
    "pt": {
        "sra": "senhora",
        "sr": "senhor",
        "dr": "doutor",
        "dra": "doutora",
        "st": "santo",
        "co": "companhia",
        "jr": "júnior",
        "ltd": "limitada",
    },
    "it": {
        "sig": "signore",
        "dr": "dottore",
        "st": "santo",
        "co": "compagnia",
        "jr": "junior",
        "ltd": "limitata",
    },
    "pl": {"p": "pani", "m": "pan", "dr": "doktor", "sw": "święty", "jr": "junior"},
    "cs": {"dr": "doktor", "ing": "inženýr", "p": "pan"},
    "ru": {"г-жа": "госпожа", "г-н": "господин", "д-р": "доктор"},
    "nl": {"dhr": "de heer", "mevr": "mevrouw", "dr": "dokter", "jhr": "jonkheer"},
    "tr": {"b": "bay", "byk": "büyük", "dr": "doktor"},
    "hu": {"dr": "doktor", "b": "bácsi", "nőv": "nővér"},
}
"""What stands before a full stop, and what is said for both; Russian ones have no full stop."""

_SIGNS = "&@%#$£°€₹"
SIGN_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": ("and", "at", "percent", "hash", "dollar", "pound", "degree", "euro", "rupees"),
    "es": ("y", "arroba", "por ciento", "numeral", "dolar", "libra", "grados", "euros", "rupias"),
    "fr": ("et", "arobase", "pour cent", "dièse", "dollar", "livre", "degrés", "euros", "roupies"),
    "de": ("und", "at", "prozent", "raute", "dollar", "pfund", "grad", "euro", "rupien"),
    "pt": ("e", "arroba", "por cento", "cardinal", "dólar", "libra", "graus", "euros", "rupias"),
    "it": ("e", "chiocciola", "per cento", "cancelletto", "dollaro", "sterlina", "gradi", "euro", "rupie"),
    "pl": ("i", "małpa", "procent", "krzyżyk", "dolar", "funt", "stopnie", "euro", "rupii"),
    "ar": ("و", "على", "في المئة", "رقم", "دولار", "جنيه", "درجة", "يورو", "روبية"),
    "zh": ("和", "在", "百分之", "号", "美元", "英镑", "度", "欧元", "卢比"),
    "cs": ("a", "na", "procento", "křížek", "dolar", "libra", "stupně", "euro", "rupií"),
    "ru": ("и", "собака", "процентов", "номер", "доллар", "фунт", "градус", "евро", "рупий"),
    "nl": ("en", "bij", "procent", "hekje", "dollar", "pond", "graden", "euro", "roepie"),
    "tr": ("ve", "at", "yüzde", "diyez", "dolar", "sterlin", "derece", "euro", "rupi"),
    "hu": ("és", "kukac", "százalék", "kettőskereszt", "dollár", "font", "fok", "euró", "rúpia"),
    "ko": ("그리고", "에", "퍼센트", "번호", "달러", "파운드", "도", "유로", "루피"),
    "hi": ("और", "ऐट दी रेट", "प्रतिशत", "हैश", "डॉलर", "पाउंड", "डिग्री", "यूरो", "रुपये"),
}
"""In the order of the signs."""

_SIGN = re.compile(f"[{_SIGNS}]")


def _abbreviation_pattern(language: str) -> re.Pattern[str]:
    end = r"\b" if language == "ru" else r"\."
    return re.compile(rf"\b({'|'.join(map(re.escape, ABBREVIATIONS[language]))}){end}")


_ABBREVIATION = {language: _abbreviation_pattern(language) for language in ABBREVIATIONS}


def expand_abbreviations(text: str, language: str) -> str:
    """Write abbreviations of a text in small letters out; languages without a table keep theirs."""
    if language not in ABBREVIATIONS:
        return text
    words = ABBREVIATIONS[language]
    return _ABBREVIATION[language].sub(lambda found: words[found[1]], text)


def expand_signs(text: str, language: str) -> str:
    """Write signs as words, with blanks around them."""
    words = SIGN_WORDS[language]
    return _SIGN.sub(lambda found: f" {words[_SIGNS.index(found[0])]} ", text)
