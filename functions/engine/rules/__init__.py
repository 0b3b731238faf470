"""Rules as data: the document, its conditions, lists and reasons."""
