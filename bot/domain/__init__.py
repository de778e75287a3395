"""Nouns: what an alert, a delivery, a person, an evidence entry IS. Pure; standard library only."""
