"""Runs of broken PIM banks on the bench."""

from mutants import broken

from pimlico.generators.block import find
from pimlico.generators.verilog import emit
from pimlico.sim.verify import verify

BLOCK = find("pim-channel")
RULES = "pim_jobs:rules_by_themselves"


def caught(monkeypatch, config, seed, module, user, sound, wrong, **options):
    """The bench's message."""
    if user is None:  # the top itself, which the block loads by its name
        broken(monkeypatch, module, sound, wrong, users=(module,))
    else:
        broken(monkeypatch, module, sound, wrong, users=(user,))
    result = verify(BLOCK, config, simulators=["icarus"], seed=seed, design=emit(BLOCK, config),
                    **options)
    assert not result["passed"], f"seed {seed}"
    assert result["mismatch"].startswith(("icarus: mismatch on", "icarus: stuck")), \
        result["mismatch"]
