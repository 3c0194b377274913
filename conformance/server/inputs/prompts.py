"""The messages of a run: short, and such that an agent which reads, obeys or echoes shows what the checks need to see.

Each kind begins beyond ASCII, as the message of the published examples does. A server that cuts a message by bytes, or
reads it in a charset of its own, is then caught by what comes back; and since some cuts fall between two characters by
chance, the texts differ in how many bytes come before what.
"""

from __future__ import annotations

from collections.abc import Mapping

_REPEATED = (
    "「介绍{}🎉明日方舟:终末地，天地玄黄 one 宇宙洪荒，日月盈昃，辰宿列张 two 寒来暑往，秋收冬藏 👩\u200d💻 "
    "e\u0301 n\u0303 déjà vu three ✓」请原样重复 (repeat exactly what is quoted)."
)
"""A quotation that any agent which reads can repeat; plain words stand in it, by which it is found in an answer."""
_SHIFTS = ("", "éüñø", ":")
"""What stands before most of it, so that a cut behind any number of bytes falls into a character of one of them."""
_ENDINGS = ("", '\n\tNo "more" \\ no less.', "\r\nThank you.")
"""What stands behind it: signs that are escaped in JSON, and that break where a text is put together by hand."""

PROMPTS: Mapping[str, tuple[str, ...]] = {
    "plain": ("Say hello in one sentence.",),
    "unicode": tuple(_REPEATED.format(shift) + ending for shift, ending in zip(_SHIFTS, _ENDINGS, strict=True)),
    "long": (
        '请原样重复🎉 (repeat exactly), 然后讲一个很长的故事\n\tand leave "none" of them \\ out:\n'
        + " ".join(
            f"{word}{number} 第{number}句🌟" for number in range(1, 13) for word in ("harbour", "lantern", "meadow")
        ),
    ),
}
"""Kind to what is asked where the target has no prompts of its own, in turn."""


def prompt(kind: str, turn: int) -> str:
    """The text that asks for an answer of a kind, the first time (1) and later."""
    texts = PROMPTS[kind]
    return texts[(turn - 1) % len(texts)]
