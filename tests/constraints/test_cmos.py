import pytest
import small_netlists

from pimlico.constraints.synth import synthesise


def test_a_chain_of_gates_is_counted_gate_by_gate():
    result = synthesise(small_netlists.CHAIN, "chain", "cmos")
    assert result["cells"] == {"$_NAND_": 4}
    assert (result["transistors"], result["depth"], result["ff_bits"]) == (16, 4, 0)


def test_flip_flops_take_16_transistors_and_no_depth():
    result = synthesise(small_netlists.SHIFT, "shift", "cmos")
    assert result["cells"] == {"$_DFF_P_": 16}
    assert result["transistors"] == 256
    assert (result["logic_transistors"], result["ff_bits"], result["depth"]) == (0, 16, 0)


def test_a_registered_adder_splits_into_logic_and_flip_flops():
    result = synthesise(small_netlists.ADDER, "adder", "cmos")
    cells = result["cells"]
    logic = 4 * (cells["$_NAND_"] + cells["$_NOR_"]) + 2 * cells["$_NOT_"]
    assert result["ff_bits"] == 9
    assert result["logic_transistors"] == logic
    assert result["transistors"] == logic + 9 * 16


def test_the_smaller_of_two_multipliers_is_taken_and_named(monkeypatch):
    from pimlico.constraints import yosys

    sizes = {}
    whole = yosys.synthesise

    def spy(*args, booth=False, **kwargs):
        run = whole(*args, booth=booth, **kwargs)
        sizes["booth" if booth else "plain"] = yosys.transistors(run["cells"])
        return run

    monkeypatch.setattr(yosys, "synthesise", spy)
    result = synthesise(small_netlists.MULTIPLIER, "multiplier", "cmos")
    assert sizes["plain"] != sizes["booth"]
    assert result["variant"] == min(sizes, key=sizes.get)
    assert result["transistors"] == min(sizes.values())


def test_a_sum_of_products_comes_to_an_end():
    result = synthesise(small_netlists.DOT_PRODUCT, "dot_product", "cmos")
    assert 10_000 < result["transistors"] < 25_000


def test_a_memory_is_counted_in_bits_and_not_in_gates():
    result = synthesise(small_netlists.MEMORY, "memory", "cmos")
    assert result["memory_bits"] == 512 * 16
    assert result["cells"] == {"$_NOT_": 16}
    assert result["depth"] == 1


def test_a_rom_is_logic():
    result = synthesise(small_netlists.ROM, "rom", "cmos")
    assert result["memory_bits"] == 0
    assert result["transistors"] > 0


@pytest.mark.parametrize("key", ["lut", "ff", "dsp", "bram", "lutram", "fmax_mhz"])
def test_what_gates_do_not_have_is_none(key):
    assert synthesise(small_netlists.CHAIN, "chain", "cmos")[key] is None
