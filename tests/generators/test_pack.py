import hashlib
import json
import sys

import gguf
import numpy as np
import pytest

from pimlico.generators.errors import ToolError
from pimlico.generators.pack import make_gguf, pack
from pimlico.hdl.common.config import ConfigError
from pimlico.hdl.ternary.config import TernaryConfig
from pimlico.verif.ternary.formats import beats, decode_beats

NAME = "blk.0.ffn_down.weight"
M, N = 21, 512


@pytest.fixture
def trits():
    return np.random.default_rng(5).integers(-1, 2, (M, N), dtype=np.int8)


@pytest.fixture
def model(tmp_path, trits):
    """A file with one TQ2_0 tensor in a folder of its own."""
    path = tmp_path / "in" / "model.gguf"
    path.parent.mkdir()
    make_gguf(path, {NAME: trits * np.float32(0.5)}, "TQ2_0")
    return path


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "weights.bin"


def refusal(model, out, tensor=NAME, **config):
    """The message of a `pack` that fails and leaves the folders as they were."""
    folders = [folder for folder in (model.parent, out.parent) if folder.is_dir()]
    before = [sorted(folder.iterdir()) for folder in folders]
    with pytest.raises(ConfigError) as caught:
        pack(model, tensor, TernaryConfig(**config), out)
    assert [sorted(folder.iterdir()) for folder in folders] == before
    return str(caught.value)


@pytest.mark.parametrize("kind", ["TQ1_0", "TQ2_0"])
@pytest.mark.parametrize("config", [
    TernaryConfig(),
    TernaryConfig(mu=3, luts=3, keys=5),
    TernaryConfig(weight_format="base3x5", luts=5, keys=4),
    TernaryConfig(weight_format="tq1_0", mu=5, luts=3, keys=3),
    TernaryConfig(weight_format="tq2_0", luts=4),
], ids=lambda config: config.weight_format)
def test_the_file_holds_the_beats_of_the_tensor(tmp_path, out, trits, kind, config):
    model = tmp_path / "model.gguf"
    make_gguf(model, {"other": np.ones((1, 256), np.float32), NAME: trits * np.float32(0.5)}, kind)
    result = pack(model, NAME, config, out)
    data = out.read_bytes()
    size = -(-config.keys * config.weight_bits // 8)
    words = [int.from_bytes(data[at:at + size], "little") for at in range(0, len(data), size)]
    assert words == beats(config, trits)
    assert result == {
        "block": "ternary-gemm", "config": config.model_dump(), "tensor": NAME,
        "tensor_type": kind, "n": N, "m": M, "scale": 0.5, "format": config.weight_format,
        "beats": config.job_beats(N, M), "beat_bytes": size,
        "sha256": hashlib.sha256(data).hexdigest()}
    assert json.loads((out.parent / "weights.bin.json").read_text()) == result
    assert sorted(path.name for path in out.parent.iterdir()) == ["weights.bin",
                                                                  "weights.bin.json"]


def test_the_same_input_gives_the_same_bytes(model, out):
    pack(model, NAME, TernaryConfig(), out)
    first = out.read_bytes(), (out.parent / "weights.bin.json").read_bytes()
    pack(model, NAME, TernaryConfig(), out)
    assert (out.read_bytes(), (out.parent / "weights.bin.json").read_bytes()) == first


def data_offset(model):
    return gguf.GGUFReader(model).tensors[0].data_offset


def edit(model, offset, data):
    with model.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_blocks_without_a_scale_are_zero_weights(model, out, trits):
    edit(model, data_offset(model) + 66 + 64, bytes(2))
    config = TernaryConfig(luts=128, keys=1)
    size = pack(model, NAME, config, out)["beat_bytes"]
    data = out.read_bytes()
    decoded, _ = decode_beats(config, [int.from_bytes(data[:size], "little"),
                                       int.from_bytes(data[size:2 * size], "little")])
    np.testing.assert_array_equal(decoded[0, 0], trits[0, :256])
    assert not decoded[1].any()


def test_a_tensor_of_zeros_has_scale_0(tmp_path, out):
    model = tmp_path / "model.gguf"
    make_gguf(model, {NAME: np.zeros((2, 256), np.float32)}, "TQ1_0")
    assert pack(model, NAME, TernaryConfig(), out)["scale"] == 0.0
    assert not any(out.read_bytes())


@pytest.mark.parametrize(("scale", "shown"), [(0.25, "0.25"), (np.nan, "nan"), (-0.5, "-0.5")])
def test_a_block_of_another_scale(model, out, scale, shown):
    edit(model, data_offset(model) + 3 * 66 + 64, np.array(scale, "<f2").tobytes())
    assert refusal(model, out) == (
        f"--tensor = {NAME}: must have one finite scale for all its blocks; block 3 (row 1, "
        f"column 256) has d = {shown}, the first block in use d = 0.5")


def test_an_infinite_scale(model, out):
    edit(model, data_offset(model) + 64, np.array(np.inf, "<f2").tobytes())
    assert refusal(model, out) == (
        f"--tensor = {NAME}: must have one finite scale for all its blocks; block 0 (row 0, "
        f"column 0) has d = inf, the first block in use d = inf")


def test_a_code_that_stands_for_no_weight(model, out):
    offset = data_offset(model) + 2 * 66 + 7
    edit(model, offset, b"\x30")
    assert refusal(model, out) == (
        f"--tensor = {NAME}: must hold ternary weights only; at offset {offset} of {model}: "
        f"byte 48 holds the 2-bit code 3")


def test_a_missing_file(model, out):
    missing = model.with_name("missing.gguf")
    assert refusal(missing, out) == (
        f"FILE = {missing}: must be a file that can be read; no such file or directory")


def test_a_folder_for_a_file(model, out):
    assert refusal(model.parent, out) == (
        f"FILE = {model.parent}: must be a file that can be read; is a directory")


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 and more"])
def test_a_file_of_another_kind(model, out, content):
    model.write_bytes(content)
    assert refusal(model, out) == (
        f"FILE = {model}: must be a GGUF file; it does not begin with GGUF")


def test_a_file_cut_short_anywhere(model, out):
    whole, start = model.read_bytes(), data_offset(model)
    end = start + M * N // 256 * 66
    for cut in [*range(4, start), start, start + 1, start + 66, end - 1]:
        model.write_bytes(whole[:cut])
        assert refusal(model, out) == (
            f"FILE = {model}: must be a whole GGUF file of version 2 or 3; "
            f"it is cut short or damaged"), cut


def test_a_tensor_type_of_another_fork(model, out):
    raw = model.read_bytes()
    at = raw.index(gguf.GGMLQuantizationType.TQ2_0.to_bytes(4, "little"), raw.index(NAME.encode()))
    edit(model, at, (36).to_bytes(4, "little"))
    assert refusal(model, out) == (
        f"FILE = {model}: must hold only tensors of types known to llama.cpp; "
        f"it holds one of type 36")


def write_gguf(path, tensors, endianess=gguf.GGUFEndian.LITTLE):
    writer = gguf.GGUFWriter(path, "bitnet", endianess=endianess)
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_big_endian_file(model, out):
    write_gguf(model, {NAME: (np.ones((2, 256), np.float32), None)}, gguf.GGUFEndian.BIG)
    assert refusal(model, out) == (
        f"FILE = {model}: must be little endian; convert the model again")


def test_a_tensor_that_is_not_there(model, out):
    assert refusal(model, out, "blk.0.ffn_dwon.weight") == (
        f"--tensor = blk.0.ffn_dwon.weight: must be a tensor of {model}; did you mean {NAME}?")
    assert refusal(model, out, "zzz") == (
        f"--tensor = zzz: must be a tensor of {model}; it holds {NAME}")


def test_a_tensor_that_is_not_there_among_many(model, out):
    make_gguf(model, {f"t{at}": np.ones((1, 256), np.float32) for at in range(5)}, "TQ1_0")
    assert refusal(model, out, "zzz") == (
        f"--tensor = zzz: must be a tensor of {model}; it holds t0, t1, t2, …")
    write_gguf(model, {"norm": (np.ones(256, np.float32), None)})
    assert refusal(model, out, "zzz") == (
        f"--tensor = zzz: must be a tensor of {model}; it holds none of type TQ1_0 or TQ2_0")


@pytest.mark.parametrize("kind", ["F32", "Q8_0"])
def test_a_tensor_of_another_type(model, out, kind):
    kind_id = gguf.GGMLQuantizationType[kind]
    write_gguf(model, {NAME: (gguf.quantize(np.ones((2, 256), np.float32), kind_id), kind_id)})
    assert refusal(model, out) == (
        f"--tensor = {NAME}: must be of type TQ1_0 or TQ2_0, not {kind}; "
        f"llama-quantize converts to both")


def test_a_tensor_of_other_dimensions(model, out):
    make_gguf(model, {NAME: np.ones((2, 2, 256), np.float32)}, "TQ2_0")
    assert refusal(model, out) == (
        f"--tensor = {NAME}: must have 2 dimensions, not 3; choose a weight matrix")


def test_a_tensor_too_big_for_the_core(model, out):
    assert refusal(model, out, n_max=511) == (
        f"--tensor = {NAME}: must have at most n_max = 511 columns, not 512; add --set n_max=512")
    assert refusal(model, out, m_max=20) == (
        f"--tensor = {NAME}: must have at most m_max = 20 rows, not 21; add --set m_max=21")


def test_a_folder_that_is_not_there(model, out):
    target = out.parent / "none" / "weights.bin"
    assert refusal(model, target) == (
        f"--out = {target}: must be a file that can be written; no such file or directory")


def test_a_file_for_a_folder(model):
    target = model / "weights.bin"
    assert refusal(model, target) == (
        f"--out = {target}: must be a file that can be written; not a directory")


@pytest.mark.parametrize("taken", ["weights.bin", "weights.bin.json"])
def test_a_folder_where_a_file_is_to_go(model, out, taken):
    (out.parent / taken).mkdir()
    assert refusal(model, out) == (
        f"--out = {out}: must be a file that can be written; is a directory")


def test_an_interrupted_write_leaves_the_old_files(model, out, monkeypatch):
    pack(model, NAME, TernaryConfig(), out)
    before = {path: path.read_bytes() for path in out.parent.iterdir()}

    def full(self, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    assert refusal(model, out, mu=3, luts=3) == (
        f"--out = {out}: must be a file that can be written; no space left on device")
    assert {path: path.read_bytes() for path in out.parent.iterdir()} == before


def test_without_the_gguf_package(model, out, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ToolError) as caught:
        pack(model, NAME, TernaryConfig(), out)
    assert str(caught.value) == "the package gguf is missing; pip install 'pimlico[gguf]'"
    assert not list(out.parent.iterdir())


def test_a_file_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(gguf.QuantError):
        make_gguf(tmp_path / "model.gguf", {NAME: np.ones((2, 100), np.float32)}, "TQ1_0")
    assert not list(tmp_path.iterdir())
