"""The loyalty ledger: the only code that writes Loyalty Point Entry, Membership and Log.

An event locks the membership, loads the entries that matter, asks `loyalty_app.rules` what they should
be, and writes the difference together with the log and the membership, all in the caller's transaction.
"""

from loyalty_app.ledger.audit import rebuild, verify
from loyalty_app.ledger.busy import LedgerBusy, unless_busy
from loyalty_app.ledger.invoices import Event, settle_invoice

__all__ = ["Event", "LedgerBusy", "rebuild", "settle_invoice", "unless_busy", "verify"]
