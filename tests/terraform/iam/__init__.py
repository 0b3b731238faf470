"""What IAM would decide: an evaluator of its policy language, and AWS's own reference of actions, resources and condition keys.

The emulator asks it about every call of the life of an environment; tests ask it about policies without one.
"""
