"""One folder per technology, filling the ports."""
