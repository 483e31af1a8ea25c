"""The runtime: the only layer that owns nurseries. Machines below decide, faces above show."""
