"""What tests of several kinds share: factories of records, an oracle, stores in memory, and contracts that stores must meet."""
