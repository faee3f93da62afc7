"""The digits that a language writes its numbers with, where those are not 0 to 9 (CLDR 48).

What is typed or copied keeps its own: codes, addresses, versions. A test compares this with Babel, which
is large, and which a page that only says "30 minutes" need not load.
"""

from functools import cache

_ZERO = {
    "adlm": 0x1E950,
    "arab": 0x0660,
    "arabext": 0x06F0,
    "beng": 0x09E6,
    "cakm": 0x11136,
    "deva": 0x0966,
    "hmnp": 0x1E140,
    "mtei": 0xABF0,
    "mymr": 0x1040,
    "nkoo": 0x07C0,
    "olck": 0x1C50,
    "tibt": 0x0F20,
}
# By the longest beginning of the tag that is here.
_SYSTEM = {
    tag: system
    for system, tags in {
        "adlm": "ff-Adlm",
        "arab": "ckb sd sdh ar-BH ar-DJ ar-EG ar-ER ar-IL ar-IQ ar-JO ar-KM ar-KW ar-LB ar-MR ar-OM"
        " ar-PS ar-QA ar-SA ar-SD ar-SO ar-SS ar-SY ar-TD ar-YE",
        "arabext": "az-Arab bgn fa ks lrc mzn pa-Arab ps ur-IN uz-Arab",
        "beng": "as bn mni",
        "cakm": "ccp",
        "deva": "bgc bho mr ne raj sa sat-Deva",
        "hmnp": "hnj mww",
        "latn": "bn-IN ks-Deva sd-Deva",
        "mtei": "mni-Mtei",
        "mymr": "my",
        "nkoo": "nqo",
        "olck": "sat",
        "tibt": "dz",
    }.items()
    for tag in tags.split()
}


def written(text: str, locale: str) -> str:
    """Write the digits of a text as a language does; `locale` is its tag, with `-` or `_`."""
    table = _table(locale)
    return text.translate(table) if table else text


@cache
def _table(locale: str) -> dict[int, int]:
    parts = locale.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        system = _SYSTEM.get("-".join(parts[:length]))
        if system is not None:
            zero = _ZERO.get(system)
            return {} if zero is None else {ord("0") + n: zero + n for n in range(10)}
    return {}
