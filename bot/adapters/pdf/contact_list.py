"""The escalation contact list as a page to file: the rows of the CSV, its date, and its digest."""

from datetime import datetime

from bot.adapters.pdf.table import table_pdf
from bot.domain.contact_list import contact_list, to_csv
from bot.domain.oncall import StoredRoster
from bot.procedures.check_on_call import document_digest

# What of a row is shown, under which heading, and how wide (in shares of the page).
SHOWN = {
    "team": ("Team", 10),
    "level": ("Level", 5),
    "person": ("Person", 14),
    "email": ("E-mail", 20),
    "slack_user": ("Slack", 12),
    "on_call_now": ("Now", 5),
    "until": ("Until", 16),
    "contact_methods": ("Reached by", 30),
    "faults": ("To be mended", 26),
}


def contact_pdf(stored: StoredRoster, at: datetime) -> bytes:
    """Equal arguments give equal bytes. Takes about a second: call it in a worker thread."""
    about = (f"Roster {stored.digest}", f"The same list as CSV: {document_digest(to_csv(stored, at))}")
    return table_pdf("Escalation contact list", about, SHOWN, contact_list(stored, at), at)
