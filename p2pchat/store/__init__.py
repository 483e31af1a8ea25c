"""What is kept: the key, the list of who may come in, and the ledgers of delivery."""
