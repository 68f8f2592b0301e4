"""The golden rules of the PIM banks against the same told slowly from a log."""

from itertools import islice

import numpy as np
import pytest
from pim_configs import SMALL, random_config
from pim_log import Log, reasons

from pimlico.hdl.pim.commands import WAITS, Code
from pimlico.hdl.pim.config import PimConfig
from pimlico.verif.pim import script, stimulus
from pimlico.verif.pim.rules import Command, Rules


class Watched(Rules):
    """Rules that remember their last answer."""

    def check(self, command):
        self.answer = super().check(command)
        return self.answer


class Told(script.Script):
    """A script whose every command is compared with the log of those before it."""

    seen: set

    def __init__(self, config):
        super().__init__(config)
        self.rules, self.log = Watched(config), Log(config)

    def issue(self, op, banks=0, *, early=0, late=0, data=None, **fields):
        code = super().issue(op, banks, early=early, late=late, data=data, **fields)
        command, now = Command(int(op), banks, **fields), self.rules.now
        found = reasons(self.log, command, now)
        at = f"{command} in cycle {now}: {sorted(found, key=str)}"
        assert code == min((each for each, _ in found), default=Code.OK), at
        faulty = [bank for _, bank in found if bank is not None]
        assert self.rules.answer == (code, min(faulty, default=0)), at
        if code == Code.OK:
            self.log.add(now, command)
        self.seen.add(code)
        return code


@pytest.fixture
def seen(monkeypatch):
    """Codes that the commands of the stimulus met with, each compared with the log's."""
    codes = set()
    monkeypatch.setattr(script, "Script", Told)
    monkeypatch.setattr(Told, "seen", codes, raising=False)
    return codes


@pytest.mark.parametrize("case", SMALL)
def test_every_command_is_carried_out_or_refused_as_the_log_tells(case, seed, seen):
    config = PimConfig(**SMALL[case])
    for _ in islice(stimulus.episodes(config, np.random.default_rng(seed)), 14):
        pass
    assert {Code.OK, Code.INDEX_RANGE} <= seen
    waits = {code for code in seen if code >= WAITS}
    assert len(waits) >= 5 if config.strict else not waits


@pytest.mark.deep
@pytest.mark.parametrize("number", range(20))
def test_every_command_of_random_configurations(number, seed, seen):
    rng = np.random.default_rng(seed)
    config = random_config(rng, pq=bool(number % 2))
    for _ in islice(stimulus.episodes(config, rng), 100):
        pass
