"""Bytes of the protocol: frames and their codec, entry bodies, records and padding. No state, no keys, no I/O."""
