"""Codes of languages: ISO 639-1, of two letters, as the contracts have them, and ISO 639-2/T, of three."""

_CODES = (
    "ar:ara bg:bul bn:ben ca:cat cs:ces cy:cym da:dan de:deu el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas "
    "fi:fin fr:fra ga:gle gl:glg gu:guj he:heb hi:hin hr:hrv hu:hun hy:hye id:ind is:isl it:ita ja:jpn ka:kat "
    "kk:kaz kn:kan ko:kor lt:lit lv:lav mk:mkd ml:mal mr:mar ms:msa mt:mlt nb:nob ne:nep nl:nld nn:nno no:nor "
    "oc:oci pa:pan pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sq:sqi sr:srp sv:swe sw:swa ta:tam te:tel th:tha "
    "tl:tgl tr:tur uk:ukr ur:urd vi:vie zh:zho"
)

_THREE_LETTERS = dict(pair.split(":") for pair in _CODES.split())
_TWO_LETTERS = {three: two for two, three in _THREE_LETTERS.items()} | {"cmn": "zh", "nob": "nb", "arb": "ar"}
"""With single languages of ISO 639-3 that models write for the whole: Mandarin, Standard Arabic."""


def three_letters(code: str) -> str:
    """Return the ISO 639-2/T code of an ISO 639-1 one, as MP4 wants it; "und" for one that is not listed here.

    A code of three letters is taken as it is.
    """
    return code if len(code) == 3 else _THREE_LETTERS.get(code, "und")


def two_letters(code: str) -> str | None:
    """Return the ISO 639-1 code of a language by either of its codes; None for one that is not listed here."""
    return code if code in _THREE_LETTERS else _TWO_LETTERS.get(code)
