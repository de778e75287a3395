"""The evidence log as it is signed, kept and checked: notes, the log key, verification."""
