"""Features of one payment: what the rules and models see."""
