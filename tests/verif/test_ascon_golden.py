"""Ascon-AEAD128 against vectors of the standard, and what follows from its definition."""

import numpy as np
import pytest

from pimlico.verif.ascon.golden import RATE, open_, permute, recover, seal

KEY = bytes(range(16))
NONCE = bytes(range(16, 32))

NIST = {
    1: (0, 0, "", "4F9C278211BEC9316BF68F46EE8B2EC6"),
    2: (1, 0, "", "CCCB674FE18A09A285D6AB11B35675C0"),
    10: (9, 0, "", "24F13284A0F90F906B18C7E4061C0896"),
    34: (0, 1, "E8", "DD576ABA1CD3E6FC704DE02AEDB79588"),
    35: (1, 1, "96", "2B8016836C75A7D86866588CA245D886"),
    298: (0, 9, "E8C3DEEE246CC5EAE3", "329BC950AE101B9247F3605EBEDCBF6C"),
    1016: (25, 30, "16CB13E5853541E2F36B38240366ACEE48E0B21D8A3424739FCD62AC2DDE",
           "B2D36A792BA208D4158CDF4E968FA99F"),
}
"""By number in LWC_AEAD_KAT_128_128.txt of ascon-c (crypto_aead/asconaead128): bytes of associated
data and of text, cipher, tag. As NIST's own validation server tests them: usnistgov/ACVP-Server,
gen-val/src/crypto/test/NIST.CVP.ACVTS.Libraries.Crypto.Ascon.Tests/SP800_232/AEAD128Tests.cs."""

ASCON_C = {
    17: (16, 0, "", "E4230CDB8330EE9DC0CFD7C7B346E6DC"),
    166: (0, 5, "E8C3DEEE24", "21812A398A8FF074C8B7DA46C82A94A7"),
    235: (3, 7, "66D0D52BF401C6", "4CFCCEA25BB53CEF292120521D154BF4"),
    511: (15, 15, "20FD19DABC1A5CC449A621D34DAC60", "D7F316F7F9AEE44F263C8D7B7094C199"),
    529: (0, 16, "E8C3DEEE246CC5EAE3E872313897A2BB", "9EAA915C9DD3245D77048F24D46D27A7"),
    545: (16, 16, "6373EBB28BE97C9BAC090CF399C13EF1", "3ABFC0D209E8F4844C90814D13F32C59"),
    579: (17, 17, "BF77C71B3DE9F1C5B372EF273A08E89BE9", "D507D7B3C2AEE97911E791F7970D6635"),
    1055: (31, 31, "4B392E5FA60E0CBBCA547DB96E3262BD8382D6C0E608E24F441AAAFC4726E5",
           "7640E8294794DD3C2AA021192B091DE3"),
    1057: (0, 32, "E8C3DEEE246CC5EAE3E872313897A2BB6089AA3E15E80307970F2D1F006654C2",
           "AAA5FA172CB9F07D07463CEFC7440BC1"),
    1089: (32, 32, "CB34D04660A66DBFBE9C856601F5B8AA51A499B55AC8F7FBEFBC331A613EE9CD",
           "FD191750A47F211C0A15ED28173D7CAA"),
}
"""More of that file, by number, with whole, partial and several blocks of both."""


def inputs(ad_bytes, text_bytes):
    """Associated data and text of that file: bytes that count up from 0x30 and 0x20."""
    return bytes(range(0x30, 0x30 + ad_bytes)), bytes(range(0x20, 0x20 + text_bytes))


@pytest.mark.parametrize("number", NIST | ASCON_C)
def test_known_answers_of_the_standard(number):
    ad_bytes, text_bytes, cipher, tag = (NIST | ASCON_C)[number]
    assert number == 33 * text_bytes + ad_bytes + 1
    ad, text = inputs(ad_bytes, text_bytes)
    sealed = bytes.fromhex(cipher), bytes.fromhex(tag)
    assert seal(KEY, NONCE, ad, text) == sealed
    assert recover(KEY, NONCE, ad, sealed[0]) == (text, sealed[1])
    assert open_(KEY, NONCE, ad, *sealed) == text


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
