"""Code the mended engine imports: the longer half of the mends, in ordinary modules."""
