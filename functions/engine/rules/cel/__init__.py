"""Conditions in CEL: checked by the CEL library, translated to Python where that means the same."""
