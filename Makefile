# From a fresh clone: Python >= 3.10, git and make; everything else is set up in .venv.
.PHONY: help demo test bench docs sdks fixes

help:
	@echo "make demo    keyguard on a small leaking project that it makes in a temporary folder"
	@echo "make test    every check of this project: lint, types, docs, tests"
	@echo "make bench   speed and accuracy next to other tools (minutes; installs them in a folder of their own)"
	@echo "make fixes   keys planted into copies of repositories and moved out again: make fixes REPOSITORIES='a b c'"
	@echo "make sdks    the facts about every SDK against the real packages (minutes; an environment for each group)"
	@echo "make docs    write docs/ and the READMEs anew from rules/ and from what keyguard prints"

demo:
	@.ci/setup runtime
	@.venv/bin/python tools/demo.py

test:
	@.ci/run

bench:
	@.ci/setup runtime
	@.venv/bin/python -m benchmarks.speed
	@.venv/bin/python -m benchmarks.accuracy

fixes:
	@.ci/setup runtime
	@.venv/bin/python -m benchmarks.plantings $(REPOSITORIES)
	@.venv/bin/python -m benchmarks.fixing

docs:
	@.ci/setup runtime
	@.venv/bin/python tools/docs.py
	@.venv/bin/python tools/readme.py

sdks:
	@.ci/setup sdks
	@.venv/bin/pytest tests/sdks -q
