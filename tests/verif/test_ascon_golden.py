"""Ascon-AEAD128 against vectors of the standard, and what follows from its definition."""

import numpy as np
import pytest

from pimlico.verif.ascon.golden import RATE, open_, permute, recover, seal
from pimlico.verif.ascon.vectors import KEY, NONCE, VECTORS


@pytest.mark.parametrize("number", VECTORS)
def test_known_answers_of_the_standard(number):
    ad, text, cipher, tag = VECTORS[number]
    assert number == 33 * len(text) + len(ad) + 1
    assert seal(KEY, NONCE, ad, text) == (cipher, tag)
    assert recover(KEY, NONCE, ad, cipher) == (text, tag)
    assert open_(KEY, NONCE, ad, cipher, tag) == text


def test_a_permutation_is_its_rounds_one_by_one_the_last_of_twelve():
    constants = (0xf0, 0xe1, 0xd2, 0xc3, 0xb4, 0xa5, 0x96, 0x87, 0x78, 0x69, 0x5a, 0x4b)
    rng = np.random.default_rng(1)
    state = tuple(int(word) for word in rng.integers(0, 1 << 64, 5, np.uint64))
    for rounds in range(1, 13):
        walked = state
        for constant in constants[-rounds:]:
            a, b, c, d, e = walked
            walked = permute((a, b, c ^ constant ^ 0x4b, d, e), 1)
        assert walked == permute(state, rounds), f"seed 1, {rounds} rounds"


@pytest.mark.parametrize("rounds", [0, 13])
def test_rounds_outside_the_standard_are_refused(rounds):
    with pytest.raises(ValueError, match=f"rounds must be 1 to 12, not {rounds}"):
        permute((0, 0, 0, 0, 0), rounds)


@pytest.mark.parametrize("key,nonce", [(KEY[1:], NONCE), (KEY, NONCE + b"0")])
def test_keys_and_nonces_of_other_lengths_are_refused(key, nonce):
    with pytest.raises(ValueError, match="key and nonce must be 16 bytes, not "
                                         f"{len(key)} and {len(nonce)}"):
        seal(key, nonce, b"", b"")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_changed_the_tag_is_wrong(seed):
    rng = np.random.default_rng(seed)
    for ad_bytes in (0, 5, RATE, 3 * RATE + 1):
        for text_bytes in (0, 9, RATE, 2 * RATE + 3):
            parts = [rng.bytes(size) for size in (RATE, RATE, ad_bytes, text_bytes)]
            cipher, tag = seal(*parts)
            sealed = [*parts[:3], cipher, tag]
            assert open_(*sealed) == parts[3]
            for place, whole in enumerate(sealed):
                if whole:
                    at, bit = rng.integers(len(whole)), 1 << rng.integers(8)
                    changed = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1:]
                    assert open_(*sealed[:place], changed, *sealed[place + 1:]) is None, \
                        f"seed {seed}, part {place}, byte {at}"
