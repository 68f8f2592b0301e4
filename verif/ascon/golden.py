"""Ascon-AEAD128 on bytes, as NIST SP 800-232 has it.

Source: NIST SP 800-232, August 2025. Its words are little-endian; Ascon-128 v1.2, of the
competition, had big-endian words, another initial value and half the rate.
"""

from __future__ import annotations

IV = 0x00001000808C0001
"""Initial value of Ascon-AEAD128: 12 and 8 rounds, tag of 128 bits, rate of 16 bytes."""

RATE = 16
"""Bytes of a block."""

LONG, SHORT = 12, 8
"""Rounds of the permutation at the ends, and between blocks."""

_MASK = (1 << 64) - 1
_WORD = 8
_CONSTANTS = tuple((15 - number) << 4 | number for number in range(LONG))

State = tuple[int, int, int, int, int]


def permute(state: State, rounds: int) -> State:
    """Ascon-p[rounds] on five words of 64 bits: the last `rounds` of twelve rounds.

    Raises
    ------
    ValueError
        If `rounds` is not 1 to 12.
    """
    if not 1 <= rounds <= LONG:
        raise ValueError(f"rounds must be 1 to {LONG}, not {rounds}")
    a, b, c, d, e = state
    for constant in _CONSTANTS[-rounds:]:
        # the S-box, on all columns of five bits at once
        a ^= e
        e ^= d
        c ^= b ^ constant
        a, b, c, d, e = a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b
        b ^= a
        d ^= c
        a ^= e
        c ^= _MASK
        a = _mixed(a, 19, 28)
        b = _mixed(b, 61, 39)
        c = _mixed(c, 1, 6)
        d = _mixed(d, 10, 17)
        e = _mixed(e, 7, 41)
    return a, b, c, d, e


def _mixed(word: int, first: int, second: int) -> int:
    """A word with two rotations of itself to the right added."""
    twice = word << 64 | word
    return (word ^ twice >> first ^ twice >> second) & _MASK


def seal(key: bytes, nonce: bytes, ad: bytes, text: bytes) -> tuple[bytes, bytes]:
    """Encrypt and authenticate.

    Parameters
    ----------
    key, nonce : bytes
        16 each. A nonce must not be used twice with one key.
    ad : bytes
        Associated data: authenticated, not encrypted; may be empty.
    text : bytes
        Plaintext; may be empty.

    Returns
    -------
    cipher, tag : bytes
        As long as `text`, and 16.

    Raises
    ------
    ValueError
        If key or nonce are not 16 bytes.
    """
    return _run(key, nonce, ad, text, False)


def recover(key: bytes, nonce: bytes, ad: bytes, cipher: bytes) -> tuple[bytes, bytes]:
    """The plaintext of `cipher`, unverified, and the tag that verifies it.

    Parameters, errors and lengths are those of `seal`.
    """
    return _run(key, nonce, ad, cipher, True)


def open_(key: bytes, nonce: bytes, ad: bytes, cipher: bytes, tag: bytes) -> bytes | None:
    """The plaintext of `cipher`, or None if `tag` is not the right one.

    Parameters and errors are those of `seal`.
    """
    text, right = recover(key, nonce, ad, cipher)
    return text if tag == right else None


def _run(key: bytes, nonce: bytes, ad: bytes, data: bytes, decrypt: bool) -> tuple[bytes, bytes]:
    if len(key) != RATE or len(nonce) != RATE:
        raise ValueError(f"key and nonce must be {RATE} bytes, not {len(key)} and {len(nonce)}")
    low, high = _words(key)
    a, b, c, d, e = permute((IV, low, high, *_words(nonce)), LONG)
    d, e = d ^ low, e ^ high
    if ad:
        padded = ad + b"\x01" + bytes(-(len(ad) + 1) % RATE)
        for at in range(0, len(padded), RATE):
            first, second = _words(padded[at:at + RATE])
            a, b, c, d, e = permute((a ^ first, b ^ second, c, d, e), SHORT)
    e ^= 1 << 63
    out = bytearray()
    whole = len(data) // RATE * RATE
    for at in range(0, whole, RATE):
        first, second = _words(data[at:at + RATE])
        a, b = a ^ first, b ^ second
        out += _bytes(a, b)
        if decrypt:
            a, b = first, second
        a, b, c, d, e = permute((a, b, c, d, e), SHORT)
    rest = data[whole:]
    before = _bytes(a, b)
    after = bytes(x ^ y for x, y in zip(before, rest, strict=False))
    out += after
    held = rest if decrypt else after
    padded = held + bytes([before[len(rest)] ^ 1]) + before[len(rest) + 1:]
    a, b = _words(padded)
    a, b, c, d, e = permute((a, b, c ^ low, d ^ high, e), LONG)
    return bytes(out), _bytes(d ^ low, e ^ high)


def _words(block: bytes) -> tuple[int, int]:
    return int.from_bytes(block[:_WORD], "little"), int.from_bytes(block[_WORD:], "little")


def _bytes(low: int, high: int) -> bytes:
    return (high << 64 | low).to_bytes(RATE, "little")
