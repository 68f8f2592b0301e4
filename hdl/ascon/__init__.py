"""Ascon-AEAD128 of NIST SP 800-232: the sponge, a page cipher and a core of its own."""
