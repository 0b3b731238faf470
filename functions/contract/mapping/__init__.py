"""Somebody's columns -> the contract's fields: known names, value readers, the mapping document and the row mapper. Pure."""
