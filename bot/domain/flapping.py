"""What flapping is: a problem that comes and goes so often that its monitor, and not a person, should be changed."""

from datetime import timedelta

WITHIN = timedelta(hours=1)
MOST_FLAPS = 5
"""Within that time, an alert may recover and fire again so often before a lead is told."""
KIND = "flapping"
"""Of the notice to the lead."""
