"""The scope document as pages to file: the rows of the CSV, its date, its review, and its digest."""

from collections.abc import Sequence
from datetime import datetime

from bot.adapters.pdf.table import table_pdf
from bot.domain.scope import Scope
from bot.domain.scope_document import Row

SHOWN = {
    "name": ("Name", 19),
    "kind": ("Kind", 13),
    "component": ("Component", 31),
    "owner": ("Owner", 12),
    "criticality": ("Criticality", 9),
    "status": ("Status", 12),
    "excluded_until": ("Until", 17),
    "exclusion_reason": ("Reason", 18),
    "approved_by": ("Approved by", 12),
    "seen_by": ("Seen by", 14),
    "last_seen": ("Last seen", 17),
}


def scope_pdf(scope: Scope, rows: Sequence[Row], document: str, at: datetime) -> bytes:
    """`document` is the digest of the same as CSV. Takes a second and more: call it in a worker thread."""
    review = scope.review
    reviewed = (
        f"Last review: {review.reviewed_at:%Y-%m-%d %H:%M} UTC by {review.reviewed_by}, of revision {review.id}"
        if review and review.reviewed_at
        else "Never reviewed"
    )
    about = (f"Revision {scope.revision.id}", reviewed, f"The same document as CSV: {document}")
    return table_pdf("Monitoring scope", about, SHOWN, rows, at)
