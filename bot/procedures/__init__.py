"""Verbs: one act of the control per file. Rules over one transaction; no I/O of their own."""
