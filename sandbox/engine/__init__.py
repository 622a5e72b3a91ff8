"""Set-up, supervision and test running. Standard library only: it runs before anything is installed."""
