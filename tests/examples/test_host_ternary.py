"""The example of a host: on the simulated board, and what it says of bad input."""

import host_ternary as example
import numpy as np
import pytest


def test_it_compares_with_numpy(capsys, seed):
    assert example.main(["--rows", "5", "--columns", "9", "--seed", str(seed)]) == 0
    assert capsys.readouterr().out.startswith("5 x 9 on a simulated board: equal to NumPy, ")


def test_a_wrong_product_is_exit_code_1(capsys, monkeypatch):
    right = example.multiply

    def wrong(*arguments):
        return right(*arguments) + np.arange(5) // 4

    monkeypatch.setattr(example, "multiply", wrong)
    assert example.main(["--rows", "5", "--columns", "9"]) == 1
    out = capsys.readouterr().out
    assert "NOT EQUAL to NumPy" in out and "rows that differ: [4]" in out


def test_no_board(capsys, tmp_path):
    assert example.main(["--port", str(tmp_path / "tty"), "--manifest", str(tmp_path / "m")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("arguments", [["--port", "tty"], ["--rows", "0"], ["--columns", "257"]])
def test_bad_arguments(arguments):
    with pytest.raises(SystemExit) as raised:
        example.main(arguments)
    assert raised.value.code == 2
