"""What the reports, number cards and charts have in common: reading points as far as the user may.

Sums are made by the database, over rows that the user's permissions leave; nothing here writes.
"""
