"""A year of a small shop's trade, so that every list, report and chart of the demo site has something true to show."""
