"""The characters that text is made of, script by script.

Every entry stands as it is under Unicode normalization (NFC), alone and beside any other entry, because
each begins with a character that never joins the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
PUNCTUATION = "!\"#%'()*+,-./:;=?@[]\\_{|}~$£€§°·–—’“”…№™"

_WORDS = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ",
    "ĀāĂăĄąĆćČčĎďĐđĒēĘęĚěĞğĪīİıŁłŃńŇňŐőŒœŘřŚśŠšŤťŪūŮůŰűŹźŻżŽžȘșȚțẠảậếọỗựỹ",
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩάέήίαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώΐΰ",
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяёђєіїјљњўџґ",
    "ԱԲԳԴԵԶԷԸԹաբգդեզէըթაბგდევზთიკლმნოპ",
    "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "ءابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژکگی٠١٢٣",
    "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह०१२३",
    "กขคฆงจฉชซญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮะาเแโใไ๐๑๒๓",
    "一丁七万三上下中人元入公八六円力十千口可右商品国土大天子小山川工左市年日月木本東永海漢王田町画目直省美花英",
    "あいうえおかがきぎくぐけげこごさざしじすずせぜそぞアイウエオカガキギクグケゲコゴサザシジスズセゼソゾヴヵヶー々",
    "가각간갈감값강개거건겁게겨고공과구국권그글금기김나너노누다닭대도동라로리마말문물미바밥백부비사상새서성소",
)
_ASTRAL = "😀😍🤖🎁🎉🏠🐈🚚🛒🧾💶💸📦🔑🥐🦊𐍈𐍉𝒜𝔅𝟘𝟙𠀀𠜎𠮷𡃁𢀖𪚥🀄🂡"
# Each is several characters that are read as one, and that no normalization joins.
_MARKED = "q̃ x̌ Z̈ m̄ n̈ Ọ̈ ọ̃ J́ г̃ α̱ d̦ नि क्ष ज्ञ की ที่ น้ำ ปู่ நி க் မြ مُ لَّ ❤️ ☎️ 🇸🇪 🇺🇳 👍🏽 1️⃣"
_CLUSTERS = tuple(_MARKED.split())


def units(text: str) -> int:
    """Return the length of a text in UTF-16 units: never less than its number of characters."""
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(frozen=True)
class Script:
    """What a script writes for each letter of `DRAFT`, and the most UTF-16 units that it takes for one."""

    spelling: Mapping[int, str]
    width: int


def _script(signs: Sequence[str]) -> Script:
    return Script(
        spelling=dict.fromkeys(map(ord, BLANKS), " ")
        | {ord(letter): signs[number % len(signs)] for number, letter in enumerate(DRAFT)},
        width=max(map(units, signs)),
    )


_EVERYTHING = (*LETTERS, *DIGITS, *PUNCTUATION, *"".join(_WORDS), *_ASTRAL, *_CLUSTERS)

# Text is drafted in these letters first and then written in a script. So one draft has its like in every
# script, and shrinking can fall back to plain letters without drawing again.
DRAFT = "".join(chr(ord("A") + number) for number in range(len(_EVERYTHING)))
# Letters that stand for a blank in every script: one in a dozen.
BLANKS = "".join(chr(ord(DRAFT[-1]) + 1 + number) for number in range(len(DRAFT) // 12))

SCRIPTS = (
    _script(LETTERS),
    _script(LETTERS + DIGITS + PUNCTUATION),
    *map(_script, _WORDS),
    _script(_ASTRAL),
    _script(_CLUSTERS),
    _script(_EVERYTHING),
)
