# Each target is one command of a script that also runs on Windows: python packaging/develop.py test
PYTHON ?= python3

.PHONY: setup test lint demo

setup test lint demo:
	@$(PYTHON) packaging/develop.py $@
