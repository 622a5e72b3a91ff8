"""Tests of the sandbox itself. Run by `make test`; by hand: pytest sandbox/tests with the sandbox's Python."""
