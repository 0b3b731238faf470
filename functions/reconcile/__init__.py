"""The reconciler: finds payments that a stage has missed, and sends them to it again."""
