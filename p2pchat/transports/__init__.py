"""Ways to reach peers: byte streams by address. Begin with `base`."""
