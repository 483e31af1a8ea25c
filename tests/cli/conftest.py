"""What all tests of the command line may ask for."""

from __future__ import annotations

from tests.support.settings import complaint, config_file, show

__all__ = ["complaint", "config_file", "show"]
