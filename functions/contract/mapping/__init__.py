"""From columns of any file to the contract's fields: known names, value readers, the mapping document and the row mapper. Pure."""
