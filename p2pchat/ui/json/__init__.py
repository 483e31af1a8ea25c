"""The face for programs: one JSON object a line in each direction (docs/reference/json.md)."""
