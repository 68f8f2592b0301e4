"""The sponge of the cycle models: its state, and how long its permutation still runs."""

from __future__ import annotations

from .golden import IV, LONG, RATE, SHORT, State, permute

BLOCK_BITS = 8 * RATE
WORD = 64
_WORD_MASK = (1 << WORD) - 1


class Sponge:
    """State and running permutation, whose result is computed as it ends.

    Parameters
    ----------
    rounds_per_cycle : int
    """

    def __init__(self, rounds_per_cycle: int):
        self._rounds_per_cycle = rounds_per_cycle
        self.reset()

    def reset(self) -> None:
        self._state: State = (0, 0, 0, 0, 0)
        self._rounds = LONG
        self.left = 0
        """Cycles of the permutation before the one that ends it."""

    def load(self, key: int, nonce: int) -> None:
        """Set it up, with a long permutation to run."""
        self._state = (IV, *words(key), *words(nonce))
        self._run(LONG)

    def end(self, block: int = 0, key_low: int = 0, key_high: int = 0, separate: bool = False,
            long: bool = False) -> None:
        """End the permutation: add what is given, and begin the next one."""
        a, b, c, d, e = permute(self._state, self._rounds)
        low, high = words(block)
        self._state = (a ^ low, b ^ high, c ^ key_low & _WORD_MASK,
                       d ^ key_low >> WORD ^ key_high & _WORD_MASK,
                       e ^ key_high >> WORD ^ separate << WORD - 1)
        self._run(LONG if long else SHORT)

    def _run(self, rounds: int) -> None:
        self._rounds = rounds
        self.left = rounds // self._rounds_per_cycle - 1

    @property
    def block(self) -> int:
        """The first two words."""
        return self._state[1] << WORD | self._state[0]

    def replace(self, block: int, mask: int) -> None:
        """Set the bits of `mask` in the first two words to those of `block`."""
        self._state = (*words(self.block & ~mask | block & mask), *self._state[2:])

    @property
    def tag(self) -> int:
        """The last two words."""
        return self._state[4] << WORD | self._state[3]


def words(block: int) -> tuple[int, int]:
    """The two words of a block."""
    return block & _WORD_MASK, block >> WORD
