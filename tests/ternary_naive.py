"""Results of the ternary core from numbers of NumPy's own types, one addition at a time."""

import ml_dtypes
import numpy as np

TYPES = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16, "fp32": np.float32}
BITS = {"fp16": np.uint16, "bf16": np.uint16, "fp32": np.uint32}
NORMAL = {"fp16": 2.0**-14, "bf16": 2.0**-126, "fp32": 2.0**-126}


class Form:
    """Numbers of a format, subnormals kept or flushed."""

    def __init__(self, name, flush):
        self.name, self.type, self.flushes = name, TYPES[name], flush

    def __call__(self, value):
        value = self.type(value)
        if self.flushes and abs(float(value)) < NORMAL[self.name]:
            return self.type(np.copysign(0.0, float(value)))
        return value

    def read(self, bits):
        return self(np.array(bits, BITS[self.name]).view(self.type))

    def add(self, a, b):
        return self(self(a) + self(b))

    def multiply(self, a, b):
        return self(self(a) * self(b))

    def bits(self, value):
        """A NaN is the canonical one."""
        if np.isnan(value):
            return {"fp16": 0x7E00, "bf16": 0x7FC0, "fp32": 0x7FC00000}[self.name]
        return int(np.array(value, self.type).view(BITS[self.name]))


def signed_sum(form, x, weights):
    """A group's activations under its weights: the first is added to the sum of the rest."""
    places = np.flatnonzero(weights)
    if not len(places):
        return form(0)
    first = places[0]
    if weights[first] < 0:
        return -signed_sum(form, x, -weights)
    rest = np.where(np.arange(len(weights)) > first, weights, 0)
    return form.add(x[first], signed_sum(form, x, rest)) if rest.any() else form(x[first])


def row(config, weights, x, addend):
    """The floating sum of a row, its bits.

    Parameters
    ----------
    weights : int8 array of shape (beats, L*mu)
    x : integer array of shape (beats, L*mu)
        Bits.
    addend : int
        Bits.
    """
    flush = config.subnormals == "flush"
    act = Form(config.act, flush)
    acc_form = Form("fp32", flush) if config.acc_format == "fp32" else act
    acc = acc_form.read(addend)
    with np.errstate(all="ignore"):
        for beat, word in zip(weights, x, strict=True):
            groups = beat.reshape(config.luts, -1)
            values = [act.read(each) for each in word]
            sums = [signed_sum(act, values[number * config.mu:], group)
                    for number, group in enumerate(groups)]
            while len(sums) > 1:
                sums = [act.add(*sums[at:at + 2]) if at + 1 < len(sums) else sums[at]
                        for at in range(0, len(sums), 2)]
            acc = acc_form.add(acc, sums[0])
    return acc_form.bits(acc)


def scaled(config, acc, scale):
    """``fp32(acc) * scale``, its bits; `acc` an integer, or the bits of a floating sum."""
    single = Form("fp32", config.subnormals == "flush")
    with np.errstate(all="ignore"):
        if config.floating:
            name = "fp32" if config.acc_format == "fp32" else config.act
            acc = Form(name, single.flushes).read(acc)
        return single.bits(single.multiply(single(acc), single.read(scale)))
