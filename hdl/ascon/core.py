"""The Ascon-AEAD128 core: messages of any number of bytes, one after the other."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Mux

from pimlico.hdl.common.component import BlockComponent, fields
from pimlico.hdl.common.parts import place

from .course import Course
from .packets import Intake, Outlet
from .sponge import Sponge


class AsconAead(BlockComponent):
    """Encrypts a message and gives its tag, or decrypts one and checks its tag.

    A message is a beat on ``cmd``, a packet on ``ad``, one on ``text`` and, to be decrypted, a
    beat on ``tag``. ``result`` gives a beat for a beat of text, the first of a block one cycle
    after its last beat of text; ``done`` ends the message. What is decrypted goes out before
    its tag is checked. The tag of a message that is decrypted, or malformed, never goes out.

    Key and nonce are looked at until the tag is made, and taken then. Every ready and valid
    comes of registers alone, so time depends on handshakes, on numbers of bytes and on
    ``last``, and on no secret. Cycles: `AsconConfig.message_cycles`. Source: NIST SP 800-232.

    Parameters
    ----------
    config : AsconConfig
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        course, sponge = Course(config), Sponge(config.rounds_per_cycle)
        intake, outlet = Intake(config), Outlet(config)
        for name, part in (("course", course), ("intake", intake), ("outlet", outlet),
                           ("sponge", sponge)):
            m.submodules[name] = place(platform, part)
        command = fields(config.port("cmd"), self.cmd.payload)
        m.d.comb += [
            course.start.eq(self.cmd.valid),
            course.decrypt.eq(command.get("decrypt", 0)),
            self.cmd.ready.eq(course.tag_key),
            sponge.key.eq(command["key"]), sponge.nonce.eq(command["nonce"]),
            sponge.load.eq(course.load), sponge.go.eq(course.go), course.ends.eq(sponge.ends),
            sponge.key_high.eq(course.nonce_key | course.tag_key),
        ]
        self._blocks(m, course, intake, outlet, sponge)
        self._end(m, course, sponge)
        return m

    def _blocks(self, m: Module, course: Course, intake: Intake, outlet: Outlet,
                sponge: Sponge) -> None:
        """Blocks of ad and text go to the end of a permutation, those of text out again."""
        for ours, theirs in ((self.ad, intake.ad), (self.text, intake.text)):
            m.d.comb += [theirs.valid.eq(ours.valid), theirs.payload.eq(ours.payload),
                         ours.ready.eq(theirs.ready)]
        added = course.open & sponge.ends
        secret = intake.mask & (course.decrypts & intake.of_text).replicate(len(intake.mask))
        m.d.comb += [
            intake.open.eq(course.open), intake.wanted.eq(course.wanted),
            course.complete.eq(intake.complete), course.skip.eq(intake.skip),
            course.of_text.eq(intake.of_text), course.padded.eq(intake.padded),
            course.malformed.eq(intake.malformed), course.room.eq(~outlet.full),
            sponge.block.eq(Mux(added, intake.block, 0)),
            sponge.replace.eq(Mux(added, secret, 0)),
            sponge.separate.eq(added & course.separate),
            sponge.key_low.eq(added & course.final_key), sponge.long.eq(course.final_key),
            outlet.load.eq(course.add & intake.of_text),
            outlet.block.eq(sponge.sum), outlet.beats.eq(intake.beats),
            outlet.size.eq(intake.size),
            outlet.last.eq(intake.last),
            self.result.valid.eq(outlet.o.valid), self.result.payload.eq(outlet.o.payload),
            outlet.o.ready.eq(self.result.ready),
        ]

    def _end(self, m: Module, course: Course, sponge: Sponge) -> None:
        """The tag given or checked, and the status."""
        if self.config.decrypts:
            m.d.comb += [self.tag.ready.eq(course.check), course.tag.eq(self.tag.valid),
                         course.right.eq(self.tag.payload == sponge.tag)]
        given = [Mux(course.gives, sponge.tag, 0)] if self.config.encrypts else []
        m.d.comb += [
            self.done.valid.eq(course.done), self.done.payload.eq(Cat(*given, course.code)),
            course.taken.eq(self.done.ready),
        ]
        ended = course.done & self.done.ready
        with m.If(self.status_clear | (self.status == 0)):
            m.d.sync += self.status.eq(Mux(ended, course.code, 0))
