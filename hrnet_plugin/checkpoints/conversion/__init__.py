"""Checkpoints of other formats: recognised by their keys, renamed by tables of rules, every key accounted for."""
