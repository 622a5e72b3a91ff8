"""Stands for the browser tests where one of ours asks what happens without a browser."""

import os


def test_a_page():
	assert os.environ["LOYALTY_URL"]
