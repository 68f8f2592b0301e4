"""What Ascon-AEAD128 gives, and when."""
