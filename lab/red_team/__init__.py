"""Thieves who learn play against the engine, among honest people who look odd: what they take, and what it costs honest people."""
