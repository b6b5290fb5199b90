"""The zoo: which published model each config stands for, and the proof that it is the same one."""
