"""Keys and what is proven with them: identities, the Noise handshake, the cipher of records. Pure."""
