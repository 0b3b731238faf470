"""What tests of several kinds share: factories, oracles, fakes and contracts."""
