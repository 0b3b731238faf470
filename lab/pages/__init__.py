"""The pages that commands write for people: what a page holds, its plots, and its HTML."""
