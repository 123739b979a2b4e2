"""Words before which, and after which, a line of subtitles breaks well or badly. ISO 639-1 -> lower-case words."""


def _words(**texts: str) -> dict[str, frozenset[str]]:
    return {language: frozenset(text.split()) for language, text in texts.items()}


CONJUNCTIONS = _words(
    en="and or but because so that which who when where while if although than",
    es="y e o u pero porque que quien cuando donde mientras si aunque sino como",
    ca="i o però perquè que qui quan on mentre si encara sinó com",
    fr="et ou mais parce que qui quand où pendant si bien car donc comme",
    de="und oder aber weil dass wenn wo während ob obwohl denn sondern als wie",
    it="e o ma perché che chi quando dove mentre se anche benché come",
    nl="en of maar omdat dat die wanneer waar terwijl als hoewel want dus",
    pt="e ou mas porque que quem quando onde enquanto se embora como",
)
"""A break before one of these is a good one."""

LEANING = _words(
    en="a an the my your his her its our their of to in into on at by for from with i we you he she they",
    es="el la los las un una unos unas mi tu su de del a al en con por para sin no se me te le lo",
    ca="el la els les un una uns unes de del a al en amb per no es em et li",
    fr="le la les un une des mon ma ton ta son sa de du à au aux en dans avec par pour je tu il elle",
    de="der die das den dem des ein eine einen einem mein dein sein ihr von zu in an auf mit für ich",
    it="il lo la i gli le un una di del della a al alla in con per da non si mi ti",
    nl="de het een mijn je zijn haar van naar in op aan met voor door ik wij",
    pt="o a os as um uma meu minha de do da dos das em no na com por para não se me",
)
"""They lean on the word that follows: a line should not end with one."""
