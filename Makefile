# Everyday commands; each sets up what it needs by itself. See README.md and sandbox/README.md.
# SANDBOX_DIR: where the sandbox lives (default .sandbox)  SANDBOX_PORT: the desk's port (default 8000)
# LANE: sqlite (default) or mariadb; for test and clean also all. All may be arguments: make test LANE=mariadb
PYTHON ?= python3
SANDBOX = $(PYTHON) -m sandbox

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-rules fuzz lint screenshots clean

help:            ## show this list
	@sed -n 's/^\([a-z-]*\): *## */  make \1\t/p' Makefile

demo:            ## set up and serve a site with demo data at http://127.0.0.1:8000 (Administrator / admin)
	@$(SANDBOX) demo

demo-reset:      ## throw the demo site away and make it afresh
	@$(SANDBOX) demo-reset

test:            ## run every test: rules, site, REST, browser, sandbox (LANE=mariadb: on MariaDB, LANE=all: on both)
	@$(SANDBOX) test

test-rules:      ## run the tests of the rules alone
	@$(SANDBOX) test-rules

fuzz:            ## make 10,000 calls that nobody should make, and print what came of them (LOYALTY_FUZZ_CALLS, LOYALTY_FUZZ_SEED)
	@$(SANDBOX) fuzz

lint:            ## check style with ruff
	@$(SANDBOX) lint

screenshots:     ## take the pictures in docs/images anew, by going through docs/user-guide.md in a browser
	@$(SANDBOX) screenshots

clean:           ## delete the sandbox of the lane with everything in it
	@$(SANDBOX) clean
