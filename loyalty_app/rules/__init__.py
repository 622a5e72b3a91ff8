"""The loyalty rules: what an invoice earns, what points buy, which lots they are drawn from.

Pure Python on `Decimal`, `int` and `date`. Nothing here reads a database, a clock or a setting:
the caller passes in everything a rule depends on, so every rule can be tested in microseconds.

Units: money is company currency, points are whole numbers.
"""
