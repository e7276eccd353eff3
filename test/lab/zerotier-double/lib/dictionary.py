"""ZeroTier's dictionary (node/Dictionary.hpp): `key=value` lines, with what would break them escaped."""

_ESCAPES = {"\0": "0", "\n": "n", "\r": "r", "=": "e", "\\": "\\"}
_MEANT = {letter: character for character, letter in _ESCAPES.items()}


def dictionary(values: dict) -> str:
    """The text of it; keys and values are plain strings."""
    return "".join(
        f"{key}={''.join(chr(92) + _ESCAPES[c] if c in _ESCAPES else c for c in value)}\n" for key, value in values.items()
    )


def parsed(text: str) -> dict:
    """What dictionary() made; lines that are none are skipped."""
    values = {}
    for line in text.split("\n"):
        key, equals, escaped = line.partition("=")
        if equals:
            characters = iter(escaped)
            values[key] = "".join(_MEANT.get(next(characters, ""), "") if c == "\\" else c for c in characters)
    return values
