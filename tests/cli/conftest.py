"""What all tests of the command line may ask for."""

from __future__ import annotations

from tests.support.profile import data, run
from tests.support.settings import complaint, config_file, show

__all__ = ["complaint", "config_file", "data", "run", "show"]
