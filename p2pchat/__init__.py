"""Chat between equals from a terminal, with nobody in the middle."""

__version__ = "0.1.0"
