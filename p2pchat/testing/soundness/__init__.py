"""Is it sound here? The checks of `p2pchat selftest`."""
