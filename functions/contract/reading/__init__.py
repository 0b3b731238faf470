"""Files as their senders write them, to their rows: encodings, archives, CSV and JSON. Pure: bytes in, rows out; the mapping comes after."""
